package explain

import (
	"cmp"
	"math"
	"slices"

	"github.com/asgood-dev/asgood/evaluator/quantile"
	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	minSegment  = 10 // scores on a side below which a segment goes to the others: its error could not be told
	maxSegments = 100
	other       = "other"
)

// cell is a segment's scores on both sides, and its shares of the common traffic.
type cell struct {
	value  string
	s      [2]quality.Sums // before, after
	m, w   [2]float64
	common bool
}

// segments makes the segments of a split: small ones and those beyond the bound go together.
func segments(cells []quality.ScoreCell) []cell {
	cells = slices.Clone(cells)
	slices.SortFunc(cells, func(a, b quality.ScoreCell) int {
		return cmp.Or(cmp.Compare(b.Before.N+b.After.N, a.Before.N+a.After.N), cmp.Compare(a.Value, b.Value))
	})
	var out []cell
	rest := cell{value: other}
	for _, c := range cells {
		fits := func(n uint64) bool { return n == 0 || n >= minSegment }
		if c.Before.N+c.After.N == 0 {
			continue
		}
		if c.Value == other || !fits(c.Before.N) || !fits(c.After.N) || len(out) >= maxSegments {
			rest.s[0], rest.s[1] = rest.s[0].Plus(c.Before), rest.s[1].Plus(c.After)
			continue
		}
		out = append(out, cell{value: c.Value, s: [2]quality.Sums{c.Before, c.After}})
	}
	if rest.s[0].N+rest.s[1].N > 0 {
		out = append(out, rest)
	}
	for i := range out {
		c := &out[i]
		c.m, c.common = [2]float64{c.s[0].Mean(), c.s[1].Mean()}, c.s[0].W > 0 && c.s[1].W > 0
	}
	return out
}

// effect is what one score adds to a figure: slope * (value - mean of the segment) + level, times its
// weight over the weight of its side.
type effect struct{ slope, level float64 }

// variance is that of a figure whose scores of a segment have an effect.
func (e effect) variance(s quality.Sums, mean, total float64) float64 {
	if s.N == 0 || total <= 0 {
		return 0
	}
	squares := max(0, s.WWVV-2*mean*s.WWV+mean*mean*s.WW)
	if s.N > 1 {
		squares *= float64(s.N) / float64(s.N-1)
	}
	cross := s.WWV - mean*s.WW
	return max(0, e.slope*e.slope*squares+2*e.slope*e.level*cross+e.level*e.level*s.WW) / (total * total)
}

func figure(v, variance float64) quality.Figure {
	half := quantile.Normal95 * math.Sqrt(variance)
	return quality.Figure{Value: v, Interval: [2]float64{v - half, v + half}}
}

// sides are the sums of all segments and of the common ones, before and after.
type sides struct{ all, common [2]quality.Sums }

func sidesOf(cells []cell) (t sides) {
	for _, c := range cells {
		for i := range 2 {
			t.all[i] = t.all[i].Plus(c.s[i])
			if c.common {
				t.common[i] = t.common[i].Plus(c.s[i])
			}
		}
	}
	return t
}

// parts are those of a change.
type parts struct{ change, mix, within, fresh, gone quality.Figure }

// decompose splits the change of the mean after Kitagawa (1955): shares and means are each taken at the
// middle of both sides, so that there is no interaction left over. Variances are those of the linearised
// figures under sampling of scores, weights included.
func decompose(cells []cell) (p parts) {
	t := sidesOf(cells)
	p.change = wholeChange(cells, t)
	if t.common[0].W <= 0 || t.common[1].W <= 0 {
		p.fresh = p.change // nothing is there on both sides: all of it is new
		return p
	}
	for i := range cells {
		for s := range 2 {
			if c := &cells[i]; c.common {
				c.w[s] = c.s[s].W / t.common[s].W
			}
		}
	}
	p.mix, p.within = mixAndWithin(cells, t)
	p.fresh, p.gone = outside(cells, t, 1), outside(cells, t, 0)
	return p
}

func wholeChange(cells []cell, t sides) quality.Figure {
	variance := 0.0
	for _, c := range cells {
		for s := range 2 {
			variance += effect{1, c.m[s] - t.all[s].Mean()}.variance(c.s[s], c.m[s], t.all[s].W)
		}
	}
	return figure(t.all[1].Mean()-t.all[0].Mean(), variance)
}

func mixAndWithin(cells []cell, t sides) (mix, within quality.Figure) {
	var middle, step [2]float64 // mean over a side of the middles, and of the steps
	for _, c := range cells {
		if c.common {
			for s := range 2 {
				middle[s] += c.w[s] * (c.m[0] + c.m[1]) / 2
				step[s] += c.w[s] * (c.m[1] - c.m[0])
			}
		}
	}
	var vm, vw float64
	for _, c := range cells {
		if !c.common {
			continue
		}
		mid, d, shift, share := (c.m[0]+c.m[1])/2, c.m[1]-c.m[0], c.w[1]-c.w[0], (c.w[0]+c.w[1])/2
		mix.Value += shift * mid
		within.Value += d * share
		for s, sign := range []float64{-1, 1} {
			vm += effect{shift / (2 * c.w[s]), sign * (mid - middle[s])}.variance(c.s[s], c.m[s], t.common[s].W)
			vw += effect{sign * share / c.w[s], (d - step[s]) / 2}.variance(c.s[s], c.m[s], t.common[s].W)
		}
	}
	return figure(mix.Value, vm), figure(within.Value, vw)
}

// outside is what the segments that are on one side only add to the change.
func outside(cells []cell, t sides, s int) quality.Figure {
	all, common := t.all[s], t.common[s]
	alone := 1 - common.W/all.W
	if all.N == common.N {
		return quality.Figure{}
	}
	variance := 0.0
	for _, c := range cells {
		e := effect{1, c.m[s] - all.Mean()}
		if c.common {
			e.slope -= 1 / (1 - alone)
			e.level -= (c.m[s] - common.Mean()) / (1 - alone)
		}
		variance += e.variance(c.s[s], c.m[s], all.W)
	}
	v := all.Mean() - common.Mean()
	if s == 0 {
		v = -v
	}
	return figure(v, variance)
}

// Split divides the change of the mean score by an attribute. The cells are the values of the attribute;
// together they are all the traffic. Their order does not matter.
func Split(attribute string, cells []quality.ScoreCell) (quality.Split, quality.Figure) {
	list := segments(cells)
	p := decompose(list)
	out := quality.Split{Attribute: attribute, Product: chosen(attribute), Mix: p.mix, Within: p.within, New: p.fresh, Gone: p.gone}
	out.Gain = gain(list, p)
	t := sidesOf(list)
	for _, c := range list {
		g := quality.Segment{Value: c.value, Before: c.s[0].Estimate(), After: c.s[1].Estimate()}
		for s := range 2 {
			if t.all[s].W > 0 {
				g.Shares[s] = c.s[s].W / t.all[s].W
			}
		}
		if c.common {
			f := c.step()
			g.Change = &f
		}
		out.Segments = append(out.Segments, g)
	}
	return out, p.change
}

// chosen reports whether the product itself chooses the attribute.
func chosen(attribute string) bool {
	return attribute == quality.AttributeVersion || quality.ChosenByProduct(attribute)
}

// step is the change of a segment's mean.
func (c *cell) step() quality.Figure {
	v := effect{1, 0}.variance(c.s[0], c.m[0], c.s[0].W) + effect{1, 0}.variance(c.s[1], c.m[1], c.s[1].W)
	return figure(c.m[1]-c.m[0], v)
}

// pooled is the variance of a segment's change if it had not changed: both sides have one variance.
func (c *cell) pooled() float64 {
	n0, n1 := c.s[0].Effective(), c.s[1].Effective()
	if n0 <= 0 || n1 <= 0 {
		return 0
	}
	m := (n0*c.m[0] + n1*c.m[1]) / (n0 + n1)
	square := func(s quality.Sums) float64 { return max(0, s.WVV/s.W-2*m*s.Mean()+m*m) }
	v := (n0*square(c.s[0]) + n1*square(c.s[1])) / (n0 + n1 - 1)
	return v * (1/n0 + 1/n1)
}

// gain is how much better the changes are described by the split: the heterogeneity of the segments'
// changes and the square of the mix, both in units of chance, less two for each number that it takes, as
// Akaike's criterion has it. A split into many segments does not win by their number.
func gain(cells []cell, p parts) float64 {
	var sw, swd, swdd float64
	k := 0
	for _, c := range cells {
		if v := c.pooled(); c.common && v > 0 {
			d := c.m[1] - c.m[0]
			sw, swd, swdd = sw+1/v, swd+d/v, swdd+d*d/v
			k++
		}
	}
	if k < 2 {
		return 0
	}
	g := max(0, swdd-swd*swd/sw-2*float64(k-1))
	if half := (p.mix.Interval[1] - p.mix.Interval[0]) / 2; half > 0 {
		z := p.mix.Value / half * quantile.Normal95
		g += max(0, z*z-2)
	}
	return g
}
