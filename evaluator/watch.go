package evaluator

import (
	"fmt"
	"math"
	"sort"

	"github.com/montanaflynn/stats"

	"github.com/asgood-dev/asgood/evaluator/detect"
)

// rankBins is the number of baseline quantile bins that stand for an unbounded metric's values, and
// tailQuantile where its second detector looks: ranks alone missed four tail regressions in ten.
const (
	rankBins     = 64
	tailQuantile = 95
)

// watcher turns the values of one stream into evidence that they are worse than its baseline. It holds
// one detector, or two for an unbounded metric: of the ranks and of the worst tail.
type watcher struct {
	scale   scale
	ranks   []float64 // upper edges of the baseline's quantile bins of badness, unbounded only
	tailAt  float64
	heavy   float64 // largest weight seen: detectors take weights in (0,1]
	main    *detect.Detector
	tail    *detect.Detector
	useTail bool // the tail's detector saw the open regression
}

func newWatcher(sc scale, strata bool, threshold float64, baseline []observation) (*watcher, error) {
	w := &watcher{scale: sc}
	for _, o := range baseline {
		w.heavy = max(w.heavy, o.Weight)
	}
	if err := w.learnRanks(baseline); err != nil {
		return nil, err
	}
	opts := detect.Options{Strata: strata, Threshold: threshold}
	main := make([]detect.Observation, len(baseline))
	tail := make([]detect.Observation, len(baseline))
	for i, o := range baseline {
		main[i], tail[i] = w.observations(o)
	}
	var err error
	if w.main, err = detect.New(opts, main); err != nil {
		return nil, fmt.Errorf("making the detector: %w", err)
	}
	if sc.unbounded {
		if w.tail, err = detect.New(opts, tail); err != nil {
			return nil, fmt.Errorf("making the detector of the tail: %w", err)
		}
	}
	return w, nil
}

func (w *watcher) learnRanks(baseline []observation) error {
	if !w.scale.unbounded {
		return nil
	}
	bad := make(stats.Float64Data, len(baseline))
	for i, o := range baseline {
		bad[i] = w.scale.badness(o.Value)
	}
	sort.Float64s(bad)
	w.ranks = make([]float64, 0, rankBins-1)
	for i := 1; i < rankBins; i++ {
		w.ranks = append(w.ranks, bad[i*len(bad)/rankBins])
	}
	var err error
	w.tailAt, err = stats.PercentileNearestRank(bad, tailQuantile)
	if err != nil {
		return fmt.Errorf("finding the tail of the baseline: %w", err)
	}
	return nil
}

// observations maps a value to what the detectors read.
func (w *watcher) observations(o observation) (main, tail detect.Observation) {
	main = detect.Observation{Stratum: o.Stratum, Weight: o.Weight / w.heavy}
	tail = main
	if !w.scale.unbounded {
		main.Y = w.scale.y(o.Value)
		return main, tail
	}
	bad := w.scale.badness(o.Value)
	// Ties share the middle of their bins: a value that fills many bins is not the worst of them.
	lo := sort.SearchFloat64s(w.ranks, bad)
	hi := lo + sort.Search(len(w.ranks)-lo, func(i int) bool { return w.ranks[lo+i] > bad })
	main.Y = 1 - (float64(lo+hi)/2+0.5)/rankBins
	if bad <= w.tailAt {
		tail.Y = 1
	}
	return main, tail
}

// update takes a value and returns the evidence after it.
func (w *watcher) update(o observation) float64 {
	w.heavy = max(w.heavy, o.Weight)
	main, tail := w.observations(o)
	e := w.main.Update(main)
	if w.tail != nil {
		e = e/2 + w.tail.Update(tail)/2
	}
	if math.IsNaN(e) {
		return 0
	}
	return e
}

// expected is the value that the reference leads to expect in place of this one; the value itself where
// nothing is known of its stratum, or where values have no bounds and no strata mean anything to them.
func (w *watcher) expected(o observation) float64 {
	r, ok := w.main.Expected(o.Stratum)
	if !ok || w.scale.unbounded {
		return o.Value
	}
	return w.scale.value(r)
}

// leader is the detector that saw what is going on.
func (w *watcher) leader() *detect.Detector {
	if w.tail == nil {
		return w.main
	}
	if w.main.Raised() {
		if w.useTail {
			return w.tail
		}
		return w.main
	}
	if w.tail.E() > w.main.E() {
		return w.tail
	}
	return w.main
}

// start is the number of live samples before the first bad one, as far as it can be told.
func (w *watcher) start() uint64 { return w.leader().Start() }

// startInterval is the 95 % interval of start.
func (w *watcher) startInterval() (lo, hi uint64) { return w.leader().StartInterval() }

// raise freezes the reference, since what comes is worse.
func (w *watcher) raise() {
	w.useTail = w.leader() == w.tail && w.tail != nil
	w.main.Raise()
	if w.tail != nil {
		w.tail.Raise()
	}
}

func (w *watcher) recovered() bool         { return w.leader().Recovered() }
func (w *watcher) recoveredFrom() uint64   { return w.leader().RecoveredFrom() }
func (w *watcher) raised() bool            { return w.main.Raised() }
func (w *watcher) drop() (d, l, h float64) { return w.leader().Drop() }

// reset starts the evidence anew against the frozen reference.
func (w *watcher) reset() {
	w.main.Reset()
	if w.tail != nil {
		w.tail.Reset()
	}
	w.useTail = false
}
