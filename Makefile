# `make run` and `make test` do all the set-up on a fresh machine; they need Go, npm, make and git.
# `make help` lists the targets.

SHELL := /bin/bash
GO ?= go
ENGINE := deploy/engine/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so
BIN := bin/asgood
SENDERS := internal/app/senders/testdata
CLIENTS := statuspage/testdata/clients
CHECKS := internal/chromium/testdata/npm
LIGHTHOUSE := statuspage/testdata/lighthouse
MAILPIT := statuspage/subscribe/testdata/mailpit
GOLANGCI_VERSION := v2.15.0
FUZZTIME ?= 60s
SOAK ?= 10m
SOAK_RATE ?= 20000
SOAK_REDACT ?= on
VIEWERS ?= 10000
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help
help: ## Show the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: run
run: build ## Set up everything and start the demo on http://localhost:8080.
	$(BIN) demo

.PHONY: test
test: engine chromium senders clients ## Set up everything and run every test.
	$(GO) test -timeout 20m ./...

.PHONY: race
race: engine chromium senders clients ## Run every test under the race detector.
	$(GO) test -race -short -timeout 40m ./...

.PHONY: build
build: engine ## Build bin/asgood.
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o $(BIN) ./cmd/asgood

.PHONY: engine
engine: $(ENGINE) ## Install the embedded ClickHouse engine, pinned by its lockfile.

$(ENGINE): deploy/engine/package-lock.json
	@if [ "$$(uname -sm)" = "Linux x86_64" ]; then \
		echo "installing the embedded ClickHouse engine (about 170 MB, once)"; \
		cd deploy/engine && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/@chdb/lib-linux-x64-gnu/libchdb.so; \
	else \
		echo "no packaged engine for $$(uname -sm): set ASGOOD_LIBCHDB to a libchdb.so, or configure a remote ClickHouse"; \
	fi

# Senders that others wrote, for tests only. Their tests skip where they are not installed.
.PHONY: senders
senders: bin/otelcol bin/mailpit $(SENDERS)/javascript/node_modules/.package-lock.json ## Install and build the senders that the tests run, pinned.

bin/otelcol: $(wildcard $(SENDERS)/otelcol/*)
	@echo "building an OpenTelemetry collector (about a minute, once)"
	cd $(SENDERS)/otelcol && CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $(CURDIR)/$@ .

bin/mailpit: $(wildcard $(MAILPIT)/*)
	@echo "building a mail server for tests (about a minute, once)"
	cd $(MAILPIT) && CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $(CURDIR)/$@ .

# npm writes this file last.
$(SENDERS)/javascript/node_modules/.package-lock.json: $(SENDERS)/javascript/package-lock.json
	@echo "installing the JavaScript senders (about 150 MB, once)"
	cd $(SENDERS)/javascript && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Clients of status pages that others wrote, and checks of pages in a browser, for tests only. Their tests skip where they
# are not installed.
.PHONY: clients
clients: $(CLIENTS)/node_modules/.package-lock.json $(CHECKS)/node_modules/.package-lock.json ## Install the clients and checks that the tests of pages run, pinned.

# npm writes this file last.
%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: lighthouse
lighthouse: chromium $(LIGHTHOUSE)/node_modules/.package-lock.json ## Grade the status page by Lighthouse (about a minute; at least 98 of 100 in all four).
	ASGOOD_LIGHTHOUSE=1 $(GO) test -v -count 1 -timeout 10m -run '^TestLighthouse$$' ./statuspage

# The browser is for tests only. Where it cannot be installed the tests of pages skip and say so.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "installing chromium for the browser tests"; \
			(apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium) >/dev/null; \
		else echo "no chromium: the browser tests will be skipped"; fi; }

.PHONY: bench
bench: engine ## Benchmarks of ingest, scoring, detector and store.
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: bench-detect
bench-detect: ## Measure the goals of the detector: false alarms, delays, intervals (some minutes).
	ASGOOD_MONTECARLO=10 $(GO) test -v -count 1 -timeout 30m -run '^TestGoals$$' ./evaluator/detect | grep -vE '^(===|---| +---)'; exit $${PIPESTATUS[0]}

.PHONY: fuzz
fuzz: engine ## Run every fuzz target for FUZZTIME each.
	@GO=$(GO) .ci/fuzz $(FUZZTIME)

.PHONY: faults
faults: engine ## Faults at full length: ClickHouse away for ten minutes, kills, a full disk.
	ASGOOD_FAULT_TIME=10m $(GO) test -v -count 1 -timeout 60m -run 'StoreAway|DiskFull|KilledDuringIngest' ./internal/app

.PHONY: soak
soak: build ## Ten minutes at 20,000 samples a second against a served program, after five to warm up: rate, p99, memory (SOAK=10m SOAK_RATE=20000 SOAK_REDACT=on).
	ASGOOD_SOAK=$(SOAK) ASGOOD_SOAK_RATE=$(SOAK_RATE) ASGOOD_SOAK_REDACT=$(SOAK_REDACT) ASGOOD_SOAK_PROGRAM=$(CURDIR)/$(BIN) $(GO) test -v -count 1 -timeout 120m -run '^TestSoak$$' ./internal/app

.PHONY: viewers
viewers: ## 10,000 live viewers on one process: how long a change takes to the last, and memory (VIEWERS=10000).
	ulimit -n "$$(ulimit -Hn)" && ASGOOD_VIEWERS=$(VIEWERS) $(GO) test -v -count 1 -timeout 10m -run '^TestViewers$$' ./statuspage

.PHONY: lint
lint: bin/golangci-lint ## Format check, vet and linters.
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	bin/golangci-lint run ./...

bin/golangci-lint: Makefile
	GOFLAGS= GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@touch $@

.PHONY: tidy
tidy: ## Check that go.mod and go.sum are tidy.
	$(GO) mod tidy -diff

.PHONY: clean
clean: ## Remove what was built; keeps the engine.
	rm -rf bin
