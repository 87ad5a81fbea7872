package calibrate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/evaluator/detect"
	"github.com/asgood-dev/asgood/evaluator/quantile"
	"github.com/asgood-dev/asgood/internal/quality"
)

// A reference is made of the first runs. Every anchor is then compared with itself, so that what the anchors
// differ in among themselves is no noise.
const (
	minReferenceRuns = 3
	maxReferenceRuns = 30
	minRunShare      = 0.5 // of the scores asked for; a run with less says nothing
)

// clip bounds how far one score counts, as a part of the range: a few anchors that turn over must not
// outweigh all others, and small steps of a steady judge are told the sooner.
const clip = 0.25

// material is the smallest move that is told, as a part of the range: that of monitors.
const material = 0.01

// yearly is how often one judge that does not move may be told to have moved.
const yearly = 365 * 24 * time.Hour

// The detectors of a watch, by what they look for.
var ways = []string{quality.JudgeStricter, quality.JudgeMilder, quality.JudgeErratic}

// mark is one score of an anchor, in the unit of the metric.
type mark struct {
	Anchor string  `json:"a"`
	Value  float64 `json:"v"`
}

// watch is what the anchors tell of one version of a judge. It is a function of the runs alone.
type watch struct {
	Version   string               `json:"version"`
	Bounds    [2]float64           `json:"bounds"`
	Threshold float64              `json:"threshold"`
	Runs      int                  `json:"runs"`      // of the reference
	Values    map[string][]float64 `json:"values"`    // of the reference by anchor, in the order of the runs
	Order     []mark               `json:"order"`     // of the reference, until it is full
	Detectors [][]byte             `json:"detectors"` // by ways; none while the reference is not full
	Live      []liveRun            `json:"live"`      // runs since, the newest last
}

// liveRun remembers which observations of the detectors a run made.
type liveRun struct {
	Slot   time.Time `json:"slot"`
	Before uint64    `json:"before"` // observations before it
}

// maxRuns is how many runs are remembered.
const maxRuns = 60

// thresholdOf is the mean number of scores to a false alarm of one detector, so that all together raise one a year.
func thresholdOf(calls int, every time.Duration) float64 {
	c := float64(len(ways)) * float64(calls) * float64(yearly) / float64(every)
	return min(max(c, detect.MinThreshold), detect.MaxThreshold)
}

func (w *watch) full() bool { return len(w.Detectors) == len(ways) }

// add takes the marks of a run. It returns how the judge has moved, empty when it has not, and whether one
// that had moved is back.
func (w *watch) add(slot time.Time, marks []mark, moved string) (way string, since time.Time, back bool, err error) {
	if !w.full() {
		return "", since, false, w.learn(marks)
	}
	ds, err := w.open()
	if err != nil {
		return "", since, false, err
	}
	w.Live = append(w.Live, liveRun{slot, ds[0].Live()})
	w.Live = w.Live[max(0, len(w.Live)-maxRuns):]
	for _, m := range marks {
		r, ok := w.residual(m)
		if !ok {
			continue
		}
		for k, y := range ys(r) {
			ds[k].Update(detect.Observation{Y: y})
		}
	}
	way, since, back = w.judge(ds, marks, moved)
	return way, since, back, w.save(ds)
}

// judge decides after a run. Only one way is open at a time; the others start anew when it ends.
func (w *watch) judge(ds []*detect.Detector, marks []mark, moved string) (way string, since time.Time, back bool) {
	if moved != "" {
		for k, d := range ds {
			if ways[k] == moved && d.Recovered() {
				for _, d := range ds {
					d.Reset()
				}
				return "", since, true
			}
		}
		return "", since, false
	}
	best := -1
	for k, d := range ds {
		drop, _, _ := d.Drop()
		if d.E() >= w.Threshold && 2*clip*drop >= material && (best < 0 || d.E() > ds[best].E()) {
			best = k
		}
	}
	if best < 0 {
		return "", since, false
	}
	best = w.direction(best, marks)
	since = w.runOf(ds[best].Start())
	ds[best].Raise()
	return ways[best], since, false
}

// direction names the way of a move that was found by the distances alone: of a steady judge they grow first
// when it gets stricter or milder too. Then the marks of the run lie on one side, by three standard errors and
// half of their distance.
func (w *watch) direction(found int, marks []mark) int {
	if ways[found] != quality.JudgeErratic {
		return found
	}
	var n, mean, squares, distance float64
	for _, m := range marks {
		if r, ok := w.residual(m); ok {
			n, mean, squares, distance = n+1, mean+r, squares+r*r, distance+math.Abs(r)
		}
	}
	if n < 2 || math.Abs(mean) < distance/2 || mean*mean < 9*(squares-mean*mean/n) {
		return found
	}
	if mean < 0 {
		return slices.Index(ways, quality.JudgeStricter)
	}
	return slices.Index(ways, quality.JudgeMilder)
}

// runOf returns the slot of the run that made the observation after n others.
func (w *watch) runOf(n uint64) time.Time {
	for i := len(w.Live) - 1; i >= 0; i-- {
		if w.Live[i].Before <= n || i == 0 {
			return w.Live[i].Slot
		}
	}
	return time.Time{}
}

// learn adds a run to the reference, and makes the detectors when it is full.
func (w *watch) learn(marks []mark) error {
	if w.Values == nil {
		w.Values = map[string][]float64{}
	}
	for _, m := range marks {
		w.Values[m.Anchor] = append(w.Values[m.Anchor], w.scaled(m.Value))
		w.Order = append(w.Order, m)
	}
	w.Runs++
	baseline := w.baseline()
	if w.Runs < minReferenceRuns || len(baseline) < detect.MinBaseline && w.Runs < maxReferenceRuns {
		return nil
	}
	ds := make([]*detect.Detector, len(ways))
	for k := range ways {
		list := make([]detect.Observation, len(baseline))
		for i, r := range baseline {
			list[i].Y = ys(r)[k]
		}
		d, err := detect.New(detect.Options{Threshold: w.Threshold}, list)
		if err != nil {
			return fmt.Errorf("making a detector of anchors: %w", err)
		}
		ds[k] = d
	}
	w.Order = nil
	return w.save(ds)
}

// baseline returns the residuals of the reference, each against the other marks of its anchor: against a mean
// with itself in it they would be too small.
func (w *watch) baseline() (out []float64) {
	for _, m := range w.Order {
		if all := w.Values[m.Anchor]; len(all) > 1 {
			n, x := float64(len(all)), w.scaled(m.Value)
			out = append(out, x-(sum(all)-x)/(n-1))
		}
	}
	return out
}

// residual compares a mark with the reference of its anchor.
func (w *watch) residual(m mark) (float64, bool) {
	all := w.Values[m.Anchor]
	if len(all) < 2 {
		return 0, false
	}
	return w.scaled(m.Value) - sum(all)/float64(len(all)), true
}

// ys makes the observations of the detectors of a residual: each falls when the judge moves its way.
func ys(r float64) [3]float64 {
	c := min(max(r, -clip), clip) / (2 * clip)
	return [3]float64{.5 + c, .5 - c, 1 - 2*math.Abs(c)}
}

func (w *watch) scaled(x float64) float64 {
	return min(max((x-w.Bounds[0])/(w.Bounds[1]-w.Bounds[0]), 0), 1)
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

func (w *watch) open() ([]*detect.Detector, error) {
	out := make([]*detect.Detector, len(w.Detectors))
	for k, data := range w.Detectors {
		out[k] = &detect.Detector{}
		if err := out[k].UnmarshalBinary(data); err != nil {
			return nil, fmt.Errorf("reading a detector of anchors: %w", err)
		}
	}
	return out, nil
}

func (w *watch) save(ds []*detect.Detector) error {
	w.Detectors = make([][]byte, len(ds))
	for k, d := range ds {
		data, err := d.MarshalBinary()
		if err != nil {
			return fmt.Errorf("saving a detector of anchors: %w", err)
		}
		w.Detectors[k] = data
	}
	return nil
}

// change compares a run with the reference, anchor by anchor: mean and 95 % interval of the differences, in
// the unit of the metric. Only anchors in both count; with fewer than three there is no interval.
func (w *watch) change(marks []mark) (mean *float64, interval *[2]float64) {
	by := map[string][]float64{}
	order := []string{}
	for _, m := range marks {
		if len(w.Values[m.Anchor]) == 0 {
			continue
		}
		if by[m.Anchor] == nil {
			order = append(order, m.Anchor)
		}
		by[m.Anchor] = append(by[m.Anchor], w.scaled(m.Value))
	}
	diffs := make([]float64, 0, len(order))
	for _, a := range order {
		ref := w.Values[a]
		diffs = append(diffs, sum(by[a])/float64(len(by[a]))-sum(ref)/float64(len(ref)))
	}
	return spread(diffs, w.Bounds[1]-w.Bounds[0])
}

// spread returns the mean of differences and its interval, multiplied by scale.
func spread(diffs []float64, scale float64) (*float64, *[2]float64) {
	n := float64(len(diffs))
	if n == 0 {
		return nil, nil
	}
	mean := sum(diffs) / n
	squares := 0.0
	for _, d := range diffs {
		squares += (d - mean) * (d - mean)
	}
	out := mean * scale
	if n < 3 {
		return &out, nil
	}
	half := quantile.Student95(n-1) * math.Sqrt(squares/(n*(n-1))) * scale
	return &out, &[2]float64{out - half, out + half}
}
