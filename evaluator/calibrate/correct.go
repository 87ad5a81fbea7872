package calibrate

import (
	"math"

	"github.com/asgood-dev/asgood/evaluator/quantile"
	"github.com/asgood-dev/asgood/internal/quality"
)

// MinLabels is the fewest labels that a mean is corrected with. Below, an interval would be a guess.
const MinLabels = 20

// folds of the labels: the line that predicts one fold is fitted to the others.
const folds = 5

// pseudo is how many labels the assumption is worth that the judge says nothing of the residual: as many as
// Agresti and Coull add to a share. A judge that was right 30 times of 30 is not right always.
const pseudo = 4

// Correct estimates what people would have said on average of all judged samples, from the few that they did
// label. It is prediction-powered inference (Angelopoulos and others 2023, Science 382) with a fitted
// prediction, cross-fitting (Zrnic and Candes, arXiv 2309.16598) and power tuning (PPI++, arXiv 2311.01453):
//
//	z = l g(f) + (xi / pi) (y - l g(f))
//
// with f the judge's score, y the label, xi whether there is one and pi the probability of that, g a line with
// intercept fitted to the labels of the other folds, and l between 0 and 1 chosen to make the variance least.
// Both means are weighted by 1 / the probability that the sample was kept. A judge that tells nothing gets an
// l of 0, which leaves the labels alone.
//
// The 95 % interval is Wilson's for the effective number of labels (Korn and Graubard 1998; Dean and Pagano
// 2015) with Student's quantile where the marks have bounds, and the plain one where bounds is nil.
//
// It holds where the labelled samples were drawn by their Chance, or at random where that is 0. People who
// label what looks bad make it wrong; a judge who marks the labelled samples otherwise than the rest gives
// that away, and is told in the note.
func Correct(items []quality.Judged, bounds *[2]float64) quality.CorrectedMean {
	p := newPool(items)
	out := quality.CorrectedMean{Judged: len(p.f), Labels: len(p.labelled), Method: quality.MethodNone}
	if out.Judged == 0 {
		out.Note = "the judge has scored nothing"
		return out
	}
	out.Raw = p.rawMean()
	if out.Labels < MinLabels {
		out.Note = "too few labels to correct the judge by"
		return out
	}
	p.predict()
	alone := p.estimate(0)
	best := p.estimate(p.power())
	out.Alone, out.Mean = alone.measure(bounds), best.measure(bounds)
	out.Method, out.Gain = quality.MethodLabels, 1
	if best.lambda > 0 && best.variance > 0 {
		out.Method, out.Gain = quality.MethodJudgeLabels, alone.variance/best.variance
	}
	if p.skewed() {
		out.Note = "the judge scores the labelled samples otherwise than the rest: they are no random part, and the corrected mean may be wrong"
	}
	return out
}

// pool is the judged samples column by column.
type pool struct {
	f, v     []float64 // score of the judge, weight; scaled to a mean of 1
	labelled []int     // indexes of samples with a label
	y, u     []float64 // label, and weight among the labelled; by position in labelled
	g        []float64 // prediction of the label
}

func newPool(items []quality.Judged) *pool {
	p := &pool{}
	alike := false
	for i := range items {
		x := &items[i]
		p.f, p.v = append(p.f, x.Value), append(p.v, max(x.Weight, 1))
		if len(x.Labels) > 0 {
			p.labelled, p.y = append(p.labelled, i), append(p.y, truth(x.Labels))
			alike = alike || !(x.Chance > 0)
		}
	}
	for _, i := range p.labelled {
		u := p.v[i]
		if !alike {
			u /= items[i].Chance
		}
		p.u = append(p.u, u)
	}
	scale(p.v, float64(len(p.v)))
	scale(p.u, float64(len(p.v)))
	return p
}

// scale makes the sum of x what it is told to be.
func scale(x []float64, sum float64) {
	total := 0.0
	for _, w := range x {
		total += w
	}
	for i := range x {
		x[i] *= sum / total
	}
}

// rawMean is the weighted mean of the judge's scores.
func (p *pool) rawMean() quality.Measure {
	n := float64(len(p.f))
	mean, squares := 0.0, 0.0
	for i, f := range p.f {
		mean += p.v[i] * f / n
	}
	for i, f := range p.f {
		squares += p.v[i] * p.v[i] * (f - mean) * (f - mean)
	}
	if n < 3 {
		return quality.Measure{Value: &mean}
	}
	half := quantile.Student95(n-1) * math.Sqrt(squares/(n*(n-1)))
	return measured(mean, mean-half, mean+half)
}

// predict fills g: every sample is predicted by a line that its own fold had no part in.
func (p *pool) predict() {
	lines := make([]line, folds)
	for k := range lines {
		var s lineSums
		for j, i := range p.labelled {
			if j%folds != k {
				s.add(p.f[i], p.y[j], p.u[j])
			}
		}
		lines[k] = s.line()
	}
	p.g = make([]float64, len(p.f))
	for i, f := range p.f {
		p.g[i] = lines[i%folds].at(f)
	}
	for j, i := range p.labelled {
		p.g[i] = lines[j%folds].at(p.f[i])
	}
}

// means are those of g over all and over the labelled, and of y.
func (p *pool) means() (all, labelled, y float64) {
	n := float64(len(p.g))
	for i, g := range p.g {
		all += p.v[i] * g / n
	}
	for j, i := range p.labelled {
		labelled += p.u[j] * p.g[i] / n
		y += p.u[j] * p.y[j] / n
	}
	return all, labelled, y
}

// power returns the l that makes the variance least: the influence of a sample is b + l (a - c), with a that
// of the mean of g, b that of the labels and c that of g among the labelled.
func (p *pool) power() float64 {
	all, labelled, y := p.means()
	var cross, squares float64
	for i, g := range p.g {
		a := p.v[i] * (g - all)
		squares += a * a
	}
	for j, i := range p.labelled {
		a, b, c := p.v[i]*(p.g[i]-all), p.u[j]*(p.y[j]-y), p.u[j]*(p.g[i]-labelled)
		squares += (a-c)*(a-c) - a*a
		cross += b * (a - c)
	}
	if !(squares > 1e-12*float64(len(p.g))) {
		return 0
	}
	return min(max(-cross/squares, 0), 1)
}

// estimate is a mean and its variance.
type estimate struct {
	lambda, mean, variance float64
	labels                 float64 // effective number (Kish 1965): unlike weights make labels count for fewer
}

func (p *pool) estimate(lambda float64) estimate {
	all, labelled, y := p.means()
	e := estimate{lambda: lambda, mean: y + lambda*(all-labelled)}
	n := float64(len(p.g))
	var rest, own, residual, spread, heavy float64
	for i, g := range p.g {
		a := lambda * p.v[i] * (g - all)
		rest += a * a
	}
	for j, i := range p.labelled {
		a := lambda * p.v[i] * (p.g[i] - all)
		r := p.y[j] - y - lambda*(p.g[i]-labelled)
		rest -= a * a
		own += (a + p.u[j]*r) * (a + p.u[j]*r)
		residual += p.u[j] * r * r / n
		spread += p.u[j] * (p.y[j] - y) * (p.y[j] - y) / n
		heavy += p.u[j] * p.u[j]
	}
	m := n * n / heavy
	df := max(m-1, 1)
	if lambda > 0 {
		df = max(m-2, 1)
	}
	e.labels = m
	own += heavy * max(0, spread-residual) * pseudo / (m + pseudo)
	e.variance = (rest + own*m/df) / (n * n)
	return e
}

// measure gives the estimate its interval.
func (e estimate) measure(bounds *[2]float64) quality.Measure {
	t := quantile.Student95(e.labels - 2)
	if bounds == nil || !(bounds[1] > bounds[0]) {
		if !(e.variance > 0) {
			return quality.Measure{Value: &e.mean}
		}
		half := t * math.Sqrt(e.variance)
		return measured(e.mean, e.mean-half, e.mean+half)
	}
	span := bounds[1] - bounds[0]
	share := min(max((e.mean-bounds[0])/span, 0), 1)
	n := e.labels
	if v := e.variance / (span * span); v > 1e-12 && share > 0 && share < 1 {
		n = share * (1 - share) / v
	}
	lo, hi := wilson(share, n, t)
	mean := bounds[0] + share*span
	return measured(mean, bounds[0]+lo*span, bounds[0]+hi*span)
}

// wilson is Wilson's interval of a share for any effective number of trials and any quantile.
func wilson(share, n, z float64) (lo, hi float64) {
	mid := (share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	return max(0, mid-half), min(1, mid+half)
}

// skewed reports whether the judge's scores of the labelled samples are not those of a random part of all,
// beyond what chance makes in one case of 400.
func (p *pool) skewed() bool {
	n, m := float64(len(p.f)), float64(len(p.labelled))
	mean, squares, labelled, heavy := 0.0, 0.0, 0.0, 0.0
	for i, f := range p.f {
		mean += p.v[i] * f / n
	}
	for i, f := range p.f {
		squares += p.v[i] * (f - mean) * (f - mean) / n
	}
	for j, i := range p.labelled {
		labelled += p.u[j] * p.f[i] / n
		heavy += p.u[j] * p.u[j] / (n * n)
	}
	return math.Abs(labelled-mean) > 3*math.Sqrt(squares*heavy*max(0, 1-m/n)+1e-18)
}
