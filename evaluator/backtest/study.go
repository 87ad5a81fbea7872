package backtest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of a study.
const (
	MaxShuffles = 1000
	MaxRepeats  = 1000
	MaxDrops    = 20
)

// Options say how thoroughly monitors are studied.
type Options struct {
	Seed     uint64
	Shuffles int                   // how often the good period is shuffled to count false alarms; default 20
	Drops    []float64             // sizes that are planted, in points: percent of the metric's range; default 1, 2, 5 and 10
	Repeats  int                   // how often each size is planted, at another time each; default 20
	Workers  int                   // default: as many as there are processors
	Progress func(done, total int) // of replays; nil means that nobody watches. It may be called from several goroutines
}

func (o Options) withDefaults() (Options, error) {
	if o.Shuffles == 0 {
		o.Shuffles = 20
	}
	if o.Repeats == 0 {
		o.Repeats = 20
	}
	if o.Drops == nil {
		o.Drops = []float64{1, 2, 5, 10}
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	switch {
	case o.Shuffles < 1 || o.Shuffles > MaxShuffles:
		return o, quality.Errorf(quality.KindInvalid, "shuffles: want 1 to %d, got %d", MaxShuffles, o.Shuffles)
	case o.Repeats < 1 || o.Repeats > MaxRepeats:
		return o, quality.Errorf(quality.KindInvalid, "repeats: want 1 to %d, got %d", MaxRepeats, o.Repeats)
	case len(o.Drops) > MaxDrops:
		return o, quality.Errorf(quality.KindInvalid, "drops: %d sizes, at most %d", len(o.Drops), MaxDrops)
	case slices.ContainsFunc(o.Drops, func(d float64) bool { return !(d > 0 && d <= 100) }):
		return o, quality.Errorf(quality.KindInvalid, "drops: want sizes above 0 and up to 100 points")
	}
	o.Drops = slices.Compact(slices.Sorted(slices.Values(o.Drops)))
	return o, nil
}

// Monitor is what was measured of one monitor.
type Monitor struct {
	Feature     string       `json:"feature"`
	Metric      string       `json:"metric"`
	Scores      int          `json:"scores"`            // replayed
	Failed      int          `json:"failed"`            // left out, since they carry an error
	OtherScorer int          `json:"other_scorer"`      // left out, since an earlier version of the scorer made them
	Good        int          `json:"good"`              // of the good period: outside of every regression that was found
	Baseline    uint64       `json:"baseline"`          // scores that the baseline takes of the good period; of a stored one its own
	Problem     string       `json:"problem,omitempty"` // why nothing could be measured, in words
	FalseAlarms *FalseAlarms `json:"false_alarms"`
	Drops       []Drop       `json:"drops"`

	Worse quality.Direction `json:"worse"`
	Trace []Point           `json:"trace"` // means over time, for the plot
}

// FalseAlarms are the alarms on data in which nothing changed.
type FalseAlarms struct {
	Shuffle  string      `json:"shuffle"` // what was exchanged with what
	Runs     int         `json:"runs"`
	Scores   int         `json:"scores"` // live ones, over all runs
	Days     float64     `json:"days"`   // that they span
	Alarms   int         `json:"alarms"`
	Per100k  *float64    `json:"per_100k"` // null where no time or score was watched
	Interval *[2]float64 `json:"interval"` // 95 % interval of Per100k
	Allowed  *float64    `json:"allowed"`  // per 100,000 scores of one stream, by the configured budget
}

// Drop is how a planted drop of one size was found.
type Drop struct {
	Points        float64  `json:"points"`            // the size in percent of the metric's range
	Problem       string   `json:"problem,omitempty"` // why it could not be planted
	Runs          int      `json:"runs"`
	Early         int      `json:"early"` // runs that alarmed before the drop; not counted in what follows
	Found         int      `json:"found"`
	MedianScores  *float64 `json:"median_scores"` // from the drop to the alarm; null when fewer than half were found
	P90Scores     *float64 `json:"p90_scores"`
	MedianSeconds *float64 `json:"median_seconds"`
	P90Seconds    *float64 `json:"p90_seconds"`
}

// Share is the share of drops that was found, of those that could be.
func (d *Drop) Share() float64 {
	if n := d.Runs - d.Early; n > 0 {
		return float64(d.Found) / float64(n)
	}
	return math.NaN()
}

// minLive is how many live scores there must be to measure anything.
const minLive = 200

// task measures one monitor.
type task struct {
	o       Options
	bench   *bench
	good    []record
	ready   int
	alarms  []int // by shuffle
	runs    [][]outcome
	planter planter
	out     *Monitor
}

// outcome is the end of one run with a planted drop.
type outcome struct {
	early, found bool
	scores       int
	took         time.Duration
}

// Run measures every monitor of a configuration on its series. exclude says which periods of a metric are not
// good, since a regression was found in them. streams is how many streams the configuration has.
func Run(ctx context.Context, o Options, side evaluator.BacktestOptions, series []*Series, exclude func(feature, metric string) []Span) ([]Monitor, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if side.Location == nil {
		side.Location = time.UTC
	}
	fleet, err := shares(side, series)
	if err != nil {
		return nil, err
	}
	out := make([]Monitor, len(series))
	var tasks []*task
	for i, s := range series {
		t, err := newTask(o, side, s, fleet[i], exclude(s.Feature, s.Metric), &out[i])
		if err != nil {
			return nil, err
		}
		if t != nil {
			tasks = append(tasks, t)
		}
	}
	if err := runAll(ctx, o, tasks); err != nil {
		return nil, err
	}
	for _, t := range tasks {
		t.sum()
	}
	return out, nil
}

// shares counts the streams of every monitor alone, and returns how many times as many all have together.
func shares(side evaluator.BacktestOptions, series []*Series) ([]float64, error) {
	out, total := make([]float64, len(series)), 0.0
	for i, s := range series {
		b, ok := newBench(s, side, 1)
		if !ok {
			continue
		}
		e, err := b.run(s.records[:min(len(s.records), 20_000)], func(int, *quality.Regression) bool { return false })
		if err != nil {
			return nil, err
		}
		out[i] = float64(e.Streams())
		total += out[i]
	}
	for i, n := range out {
		out[i] = total / max(n, 1)
	}
	return out, nil
}

const noMonitor = "this configuration has no monitor of it"

// newTask prepares the measurement of a monitor. It is nil when there is nothing to measure; m says why.
func newTask(o Options, side evaluator.BacktestOptions, s *Series, fleet float64, exclude []Span, m *Monitor) (*task, error) {
	*m = Monitor{Feature: s.Feature, Metric: s.Metric, Scores: s.Len(), Failed: s.failed, OtherScorer: s.skipped, Drops: []Drop{}}
	b, ok := newBench(s, side, fleet)
	if !ok {
		m.Problem = noMonitor
		return nil, nil
	}
	m.Worse, m.Trace = b.monitor.Worse, trace(s.records)
	if m.Worse == "" {
		m.Worse = quality.WorseLower
	}
	t := &task{o: o, bench: b, good: without(s.records, exclude), out: m}
	m.Good = len(t.good)
	var err error
	if t.ready, m.Baseline, m.Problem, err = b.pilot(t.good); err != nil {
		return nil, err
	}
	if m.Problem == "" && len(t.good)-t.ready < minLive {
		m.Problem = fmt.Sprintf("%d good scores after the baseline, at least %d needed", len(t.good)-t.ready, minLive)
	}
	if m.Problem != "" {
		return nil, nil
	}
	t.planter = newPlanter(&b.monitor, t.good)
	t.alarms = make([]int, o.Shuffles)
	t.runs = make([][]outcome, len(o.Drops))
	for i, d := range o.Drops {
		if t.planter.possible(d / 100) {
			t.runs[i] = make([]outcome, o.Repeats)
		}
	}
	return t, nil
}

// runAll runs every replay of every task on the workers. Each has its own place for what it finds and its own
// seed, so that the order does not matter.
func runAll(ctx context.Context, o Options, tasks []*task) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(o.Workers)
	var jobs []func() error
	for _, t := range tasks {
		jobs = append(jobs, t.jobs()...)
	}
	var done atomic.Int64
	for _, job := range jobs {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("stopped: %w", err)
			}
			if err := job(); err != nil {
				return err
			}
			if n := done.Add(1); o.Progress != nil {
				o.Progress(int(n), len(jobs))
			}
			return nil
		})
	}
	return g.Wait()
}

func (t *task) jobs() (out []func() error) {
	for i := range t.alarms {
		out = append(out, func() error { return t.shuffled(i) })
	}
	for size := range t.runs {
		for i := range t.runs[size] {
			out = append(out, func() error { return t.planted(size, i) })
		}
	}
	return out
}

// rng is the source of chance of one replay.
func (t *task) rng(kind, i int) *rand.Rand {
	return rand.New(rand.NewPCG(t.o.Seed, uint64(kind)<<32|uint64(i)))
}

// shuffled counts the alarms of one shuffle.
func (t *task) shuffled(i int) error {
	b := t.bench
	how := shuffleOf(&b.monitor, b.options.Location, t.good)
	records := shuffle(how, &b.monitor, b.options.Location, t.good, t.rng(0, i))
	_, err := b.run(records, func(int, *quality.Regression) bool { t.alarms[i]++; return false })
	return err
}

// planted makes the scores worse from a random time on, which leaves at least the last third of the live
// scores for finding it. The scores stay in their order, so that season and what follows on each other stay.
func (t *task) planted(size, i int) error {
	rng := t.rng(size+1, i)
	live := len(t.good) - t.ready
	onset := t.ready + rng.IntN(max(1, 2*live/3))
	records := slices.Clone(t.good)
	for j := onset; j < len(records); j++ {
		records[j].value = t.planter.worse(records[j].value, t.o.Drops[size]/100, rng)
	}
	out := &t.runs[size][i]
	_, err := t.bench.run(records, func(j int, _ *quality.Regression) bool {
		out.early, out.found = j < onset, j >= onset
		out.scores, out.took = j-onset+1, time.Duration(records[j].at-records[onset].at)
		return true
	})
	return err
}

// sum writes down what the replays found.
func (t *task) sum() {
	b := t.bench
	f := &FalseAlarms{Shuffle: shuffleOf(&b.monitor, b.options.Location, t.good), Runs: len(t.alarms)}
	live := len(t.good) - t.ready
	span := time.Duration(t.good[len(t.good)-1].at - t.good[t.ready].at)
	f.Scores, f.Days = live*f.Runs, span.Hours()/24*float64(f.Runs)
	for _, n := range t.alarms {
		f.Alarms += n
	}
	lo, hi := poisson(f.Alarms)
	per := 1e5 / float64(f.Scores)
	rate := float64(f.Alarms) * per
	f.Per100k, f.Interval = &rate, &[2]float64{lo * per, hi * per}
	if allowed := t.allowed(span, live); !math.IsNaN(allowed) {
		f.Allowed = &allowed
	}
	t.out.FalseAlarms = f
	for i, points := range t.o.Drops {
		t.out.Drops = append(t.out.Drops, drop(points, t.runs[i]))
	}
}

// allowed is the budget of one stream in alarms per 100,000 scores.
func (t *task) allowed(span time.Duration, live int) float64 {
	budget := t.bench.options.FalseAlarms
	if budget.Samples > 0 {
		return 1e5 / budget.Samples
	}
	if span <= 0 {
		return math.NaN()
	}
	return 1e5 * float64(span) / float64(budget.Period) / float64(live)
}

func drop(points float64, runs []outcome) Drop {
	d := Drop{Points: points, Runs: len(runs)}
	if len(runs) == 0 {
		d.Problem = "the scores leave no room for a drop of this size"
		return d
	}
	var scores, seconds []float64
	for _, r := range runs {
		switch {
		case r.early:
			d.Early++
		case r.found:
			d.Found++
			scores, seconds = append(scores, float64(r.scores)), append(seconds, r.took.Seconds())
		}
	}
	n := d.Runs - d.Early
	d.MedianScores, d.P90Scores = quantile(scores, n, 0.5), quantile(scores, n, 0.9)
	d.MedianSeconds, d.P90Seconds = quantile(seconds, n, 0.5), quantile(seconds, n, 0.9)
	return d
}

// quantile is the smallest value below or at which a share of n lies, of which those that are not given are
// larger than all that are. It is nil when it is one of those.
func quantile(values []float64, n int, share float64) *float64 {
	i := int(math.Ceil(share*float64(n))) - 1
	if n == 0 || i >= len(values) {
		return nil
	}
	slices.Sort(values)
	return &values[max(i, 0)]
}

// poisson is the 95 % interval of the mean of a count, by Byar's approximation, which is within 1 % of the
// exact one; for none it is the exact 3.69.
func poisson(n int) (lo, hi float64) {
	bound := func(n, z float64) float64 { return n * math.Pow(1-1/(9*n)+z/(3*math.Sqrt(n)), 3) }
	if n > 0 {
		lo = bound(float64(n), -1.96)
	}
	if n == 0 {
		return 0, 3.69
	}
	return lo, bound(float64(n+1), 1.96)
}
