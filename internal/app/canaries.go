package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/collector/canary"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// sampleTaker gives what Asgood made itself to the collector, by the rules of a full disk.
type sampleTaker struct {
	collector *collector.Collector
	room      func() error
}

// Take takes samples in.
func (t sampleTaker) Take(ctx context.Context, samples []quality.Sample) error {
	if err := t.room(); err != nil {
		return err
	}
	res, err := t.collector.Accept(ctx, samples)
	if err != nil {
		return err
	}
	if res.Refused > 0 {
		return quality.Errorf(quality.KindInvalid, "%d of %d samples were refused: %s", res.Refused, len(samples), res.Rejected[0].Error)
	}
	return nil
}

// canaryStore keeps runs and behaviour rates as documents.
type canaryStore struct {
	runs  *bus.Documents[quality.CanaryRun]
	rates *bus.Documents[quality.BehaviourHistory]
}

func runKey(feature, canary string) string { return feature + "/" + canary }

func rateKey(feature, canary, prompt string) string { return feature + "/" + canary + "/" + prompt }

// SaveRun stores a run.
func (s canaryStore) SaveRun(ctx context.Context, r quality.CanaryRun) error {
	_, err := s.runs.Put(ctx, runKey(r.Feature, r.Canary), r)
	return err
}

// SaveRates stores the rates of a prompt, or of all together.
func (s canaryStore) SaveRates(ctx context.Context, h quality.BehaviourHistory) error {
	_, err := s.rates.Put(ctx, rateKey(h.Latest.Feature, h.Latest.Canary, h.Latest.PromptID), h)
	return err
}

// openCanaries takes up what is stored of canaries.
func openCanaries(ctx context.Context, b *bus.Bus, o canary.Options) (_ *canary.Keeper, err error) {
	var s canaryStore
	if s.runs, err = documents[quality.CanaryRun](ctx, b, bucketCanaries); err != nil {
		return nil, err
	}
	if s.rates, err = documents[quality.BehaviourHistory](ctx, b, bucketBehaviours); err != nil {
		return nil, err
	}
	if o.Runs, err = s.runs.All(ctx); err != nil {
		return nil, fmt.Errorf("reading the runs of canaries: %w", err)
	}
	if o.Rates, err = s.rates.All(ctx); err != nil {
		return nil, fmt.Errorf("reading behaviour rates: %w", err)
	}
	o.Store = s
	return canary.New(o)
}

// forgetCanaries removes the documents of canaries and prompts that are no longer configured.
func forgetCanaries(ctx context.Context, b *bus.Bus, features []quality.Feature) error {
	runs, rates := map[string]bool{}, map[string]bool{}
	for _, f := range features {
		for _, c := range f.Canaries {
			runs[runKey(f.Name, c.Name)], rates[rateKey(f.Name, c.Name, "")] = true, true
			for _, p := range c.Prompts {
				rates[rateKey(f.Name, c.Name, p.ID)] = true
			}
		}
	}
	return errors.Join(forget(ctx, b, bucketCanaries, runs), forget(ctx, b, bucketBehaviours, rates))
}

func (r *rooms) buildCanaries(ctx context.Context, a *App) (err error) {
	if err := forgetCanaries(ctx, a.engines.bus, a.opts.Config.Features); err != nil {
		return err
	}
	r.canaries, err = openCanaries(ctx, a.engines.bus, canary.Options{
		Features: a.opts.Config.Features, Taker: sampleTaker{r.collector, r.room.Room},
		Now: a.opts.Now, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	r.add("canaries", func(ctx context.Context) error {
		if err := r.canaries.Run(ctx); err != nil {
			return err
		}
		<-ctx.Done() // without canaries there is nothing to do
		return nil
	})
	return nil
}

// CanaryOptions say where canaries are run, and where what is known of them lies.
type CanaryOptions struct {
	Config   *config.Config
	Server   string // internal address of a server; empty means the configuration's, or the data directory when nothing answers there
	Progress func(done, total int)
	Logger   *slog.Logger
}

// CanaryReport is what a run of a canary found.
type CanaryReport = canary.Report

// CanaryStatus is what is known of a canary.
type CanaryStatus = canary.Status

// RunCanary runs a canary at once: in a running server, or from here with the data directory of one that
// does not run.
func RunCanary(ctx context.Context, o CanaryOptions, name string) (report CanaryReport, err error) {
	progress := func(p canary.Progress) {
		if o.Progress != nil {
			o.Progress(p.Done, p.Total)
		}
	}
	if addr, ok := running(ctx, o.Server, o.Config.Listen.Internal); ok {
		return runThere(ctx, addr+"/v1/canaries/"+url.PathEscape(name)+"/run", progress)
	}
	err = o.withDirectory(ctx, func(k *canary.Keeper) error {
		report, err = k.RunNow(ctx, name, progress)
		return err
	})
	return report, err
}

// ListCanaries returns what is known of every canary.
func ListCanaries(ctx context.Context, o CanaryOptions) (list []CanaryStatus, err error) {
	if addr, ok := running(ctx, o.Server, o.Config.Listen.Internal); ok {
		var answer struct {
			Canaries []CanaryStatus `json:"canaries"`
		}
		err := ask(ctx, http.MethodGet, addr+"/v1/canaries", "", nil, &answer)
		return answer.Canaries, err
	}
	err = o.withDirectory(ctx, func(k *canary.Keeper) error {
		list = k.List()
		return nil
	})
	return list, err
}

// withDirectory opens the data directory for one piece of work.
func (o CanaryOptions) withDirectory(ctx context.Context, fn func(*canary.Keeper) error) (err error) {
	d, err := openDirectory(ctx, &ImportOptions{Config: o.Config, Logger: o.Logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	room, err := newDiskRoom(o.Config.Storage.Dir, int64(o.Config.Storage.MinFree), o.Logger)
	if err != nil {
		return err
	}
	k, err := openCanaries(ctx, d.bus, canary.Options{
		Features: o.Config.Features, Taker: sampleTaker{d.collector, room.Room}, Logger: o.Logger, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		return err
	}
	return fn(k)
}

// runThere asks a server for a run and follows it. A run lasts as long as it lasts, so only ctx bounds it.
func runThere(ctx context.Context, address string, progress func(canary.Progress)) (report CanaryReport, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(nil))
	if err != nil {
		return report, quality.Errorf(quality.KindInvalid, "server address: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return report, fmt.Errorf("asking the server: %w", err)
	}
	defer res.Body.Close()
	body := io.LimitReader(res.Body, maxAnswer)
	if res.StatusCode != http.StatusOK {
		data, err := io.ReadAll(body)
		if err != nil {
			return report, fmt.Errorf("reading the answer of the server: %w", err)
		}
		return report, refusal(res, data)
	}
	return followRun(json.NewDecoder(body), progress)
}

func followRun(lines *json.Decoder, progress func(canary.Progress)) (report CanaryReport, err error) {
	for {
		var l canary.Line
		if err := lines.Decode(&l); err != nil {
			return report, fmt.Errorf("the server ended the run without a result: %w", err)
		}
		switch {
		case l.Error != nil:
			return report, fmt.Errorf("the server answered: %s", l.Error.Message)
		case l.Report != nil:
			return *l.Report, nil
		case l.Progress != nil:
			progress(*l.Progress)
		}
	}
}
