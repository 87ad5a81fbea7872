package baseline

import (
	"cmp"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// figuresOf sums up scores by their weights.
func figuresOf(scores []quality.Score) (f quality.BaselineSlice) {
	var w, mean, m2 float64
	for i := range scores {
		x := max(scores[i].Weight, 1)
		w += x
		d := scores[i].Value - mean
		mean += x / w * d
		m2 += x * d * (scores[i].Value - mean)
	}
	f.N, f.Mean = uint64(len(scores)), mean
	if len(scores) > 1 {
		f.SD = math.Sqrt(max(0, m2/w) * float64(f.N) / float64(f.N-1))
	}
	return f
}

// bySlice parts scores by each value of the monitor's attributes.
func bySlice(m *quality.MonitorSpec, scores []quality.Score) map[string][]quality.Score {
	out := map[string][]quality.Score{}
	for i := range scores {
		for _, a := range m.Slices {
			if v := attribute(&scores[i], a); v != "" {
				key := quality.Slice{a: v}.Key()
				out[key] = append(out[key], scores[i])
			}
		}
	}
	return out
}

func sliceFigures(m *quality.MonitorSpec, scores []quality.Score) []quality.BaselineSlice {
	out := []quality.BaselineSlice{}
	for _, list := range bySliceOf(m, scores) {
		out = append(out, list)
	}
	slices.SortFunc(out, func(a, b quality.BaselineSlice) int {
		return cmp.Or(-cmp.Compare(a.N, b.N), cmp.Compare(a.Slice.Key(), b.Slice.Key()))
	})
	return out[:min(len(out), quality.MaxBaselineSlices)]
}

func bySliceOf(m *quality.MonitorSpec, scores []quality.Score) map[string]quality.BaselineSlice {
	of := map[string]quality.Slice{}
	for i := range scores {
		for _, a := range m.Slices {
			if v := attribute(&scores[i], a); v != "" {
				s := quality.Slice{a: v}
				of[s.Key()] = s
			}
		}
	}
	out := map[string]quality.BaselineSlice{}
	for key, list := range bySlice(m, scores) {
		f := figuresOf(list)
		f.Slice = of[key]
		out[key] = f
	}
	return out
}

func keysOf[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

func attribute(sc *quality.Score, name string) string {
	s := quality.Sample{Customer: sc.Customer, Model: sc.Model, Prompt: sc.Prompt, Source: sc.Source, Attributes: sc.Attributes}
	return s.Attribute(name)
}
