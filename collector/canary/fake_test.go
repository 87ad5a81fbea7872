package canary_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/asgood-dev/asgood/collector/canary"
	"github.com/asgood-dev/asgood/internal/quality"
)

// memory takes samples and keeps runs and rates, as a collector and a bus would over restarts.
type memory struct {
	mu      sync.Mutex
	samples []quality.Sample
	repeats int // samples whose id was known
	runs    map[string]quality.CanaryRun
	rates   map[string]quality.BehaviourHistory
	refuse  error
	unsaved error
}

func (m *memory) Take(_ context.Context, samples []quality.Sample) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return m.refuse
	}
	for _, s := range samples {
		if err := s.Validate(); err != nil {
			return err
		}
		if slices.ContainsFunc(m.samples, func(o quality.Sample) bool { return o.ID == s.ID }) {
			m.repeats++
			continue
		}
		m.samples = append(m.samples, s)
	}
	return nil
}

func (m *memory) SaveRun(_ context.Context, r quality.CanaryRun) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unsaved != nil {
		return m.unsaved
	}
	if m.runs == nil {
		m.runs = map[string]quality.CanaryRun{}
	}
	m.runs[r.Canary] = r
	return nil
}

func (m *memory) SaveRates(_ context.Context, h quality.BehaviourHistory) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unsaved != nil {
		return m.unsaved
	}
	if m.rates == nil {
		m.rates = map[string]quality.BehaviourHistory{}
	}
	m.rates[h.Latest.PromptID] = h
	return nil
}

func (m *memory) taken() []quality.Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.samples)
}

func (m *memory) run(name string) quality.CanaryRun {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.runs[name]
}

func (m *memory) rate(prompt string) quality.BehaviourHistory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rates[prompt]
}

func (m *memory) repeated() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.repeats
}

func (m *memory) count() int { return len(m.taken()) }

// log is a log that can be searched.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *log) count(text string) int { return strings.Count(l.String(), text) }

func (l *log) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// prompts are n prompts with the ids a, b, c...
func prompts(n int) []quality.CanaryPrompt {
	out := make([]quality.CanaryPrompt, n)
	for i := range out {
		out[i] = quality.CanaryPrompt{ID: string(rune('a' + i)), Input: quality.Text("question " + string(rune('a'+i)))}
	}
	return out
}

// keeper makes a keeper of canaries of one feature, with what an earlier one left in the memory.
func keeper(t testing.TB, m *memory, l *log, specs ...quality.CanarySpec) *canary.Keeper {
	t.Helper()
	o := canary.Options{Features: []quality.Feature{{Name: "chat", Canaries: specs}}, Taker: m, Store: m}
	if l != nil {
		o.Logger = l.logger()
	}
	for _, r := range m.runs {
		o.Runs = append(o.Runs, r)
	}
	for _, h := range m.rates {
		o.Rates = append(o.Rates, h)
	}
	k, err := canary.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// start follows the schedule until the test ends or stop is called.
func start(t *testing.T, k *canary.Keeper) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}
