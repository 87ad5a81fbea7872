package calibrate

import "github.com/asgood-dev/asgood/internal/quality"

// Alpha returns Krippendorff's alpha of the people who marked samples of a version: 1 - observed / expected
// squared distance of two marks of one sample (Krippendorff 2004, chapter 11, interval metric; with two marks
// only it is the nominal one). It takes any number of people, of whom each may have marked some samples only.
// The interval is that of the bootstrap over samples with a fixed seed, and absent where no two people
// differed: then nothing is known of how often they would. Without 10 samples that several people marked
// there is no alpha.
func Alpha(version string, items []quality.Judged) quality.Measure {
	var units []unit
	for i := range items {
		if x := &items[i]; x.Version == version && len(x.Labels) > 1 {
			units = append(units, unitOf(x.Labels))
		}
	}
	if len(units) < minAgree {
		return quality.Measure{}
	}
	value, ok := alphaOf(units)
	if !ok {
		return quality.Measure{}
	}
	if value == 1 {
		return quality.Measure{Value: &value}
	}
	random, drawn := newRandom(), make([]unit, len(units))
	all := make([]float64, 0, draws)
	for range draws {
		for i := range drawn {
			drawn[i] = units[random.IntN(len(units))]
		}
		if v, ok := alphaOf(drawn); ok {
			all = append(all, v)
		}
	}
	lo, hi := middle95(all)
	return measured(value, lo, hi)
}

// unit sums the marks of one sample.
type unit struct{ n, sum, squares float64 }

func unitOf(labels []quality.HumanLabel) (u unit) {
	for _, l := range labels {
		u.n, u.sum, u.squares = u.n+1, u.sum+l.Value, u.squares+l.Value*l.Value
	}
	return u
}

// pairs is the sum of the squared distances of all ordered pairs.
func (u unit) pairs() float64 { return max(0, 2*(u.n*u.squares-u.sum*u.sum)) }

func alphaOf(units []unit) (float64, bool) {
	var all unit
	seen := 0.0
	for _, u := range units {
		all.n, all.sum, all.squares = all.n+u.n, all.sum+u.sum, all.squares+u.squares
		seen += u.pairs() / (u.n - 1)
	}
	expected := all.pairs() / (all.n - 1)
	if !(expected > 1e-12*max(1, all.squares)) {
		return 0, false
	}
	return 1 - seen/expected, true
}
