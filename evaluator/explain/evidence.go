package explain

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of the evidence of one regression.
const (
	keepWorst     = 8
	keepPairs     = 8
	eachCustomer  = 3
	worstWanted   = 60
	matchWanted   = 200
	alike         = 0.8 // inputs more alike than that show the same thing twice
	pairAlike     = 0.3 // inputs less alike than that are no pair
	maxText       = 8 << 10
	maxDocuments  = 10
	maxExampleLen = 64 << 10
	maxEvidence   = 4 << 20 // bytes of all examples as JSON
)

// evidence collects the samples that show the regression, those of the slice that carries it when there is one.
func (x *Explainer) evidence(ctx context.Context, q quality.ScoreQuery, e *quality.Explanation) (quality.Evidence, error) {
	out := quality.Evidence{Regression: e.Regression, At: e.At, Examples: []quality.Example{}}
	if len(e.Slices) > 0 && e.Slices[0].Stands {
		q.Slice = withValue(q.Slice, e.Slices[0].Attribute, e.Slices[0].Value)
	}
	worst, err := x.o.Store.ExtremeScores(ctx, q, q.After, false, eachCustomer, worstWanted)
	if err != nil {
		return out, err
	}
	best, err := x.o.Store.ExtremeScores(ctx, q, q.Before, true, eachCustomer*10, matchWanted)
	if err != nil {
		return out, err
	}
	pairs, err := x.canaryPairs(ctx, q)
	if err != nil {
		return out, err
	}
	chosen := diverse(x.consenting(worst, &out.Left), keepWorst)
	pairs = append(pairs, match(x.consenting(worst, nil), x.consenting(best, nil), q.Worse, keepPairs-min(len(pairs), keepPairs))...)
	return out, x.fetch(ctx, q, &out, chosen, pairs[:min(len(pairs), keepPairs)])
}

// withValue returns a slice with one more attribute. The scorer's version is none that a slice has.
func withValue(s quality.Slice, attribute, value string) quality.Slice {
	out := quality.Slice{}
	for k, v := range s {
		out[k] = v
	}
	out[attribute] = value
	return out
}

// refuses reports whether a customer said that its samples are no examples. Senders write names in more than one
// way, and no is meant of all of them.
func (x *Explainer) refuses(customer string) bool {
	c, known := x.consent[customer]
	return known && !c || !known && x.refuse[written(customer)]
}

// written is a name without the ways in which it can be written.
func written(name string) string {
	return strings.Join(strings.Fields(strings.ToLower(quality.Visible(name))), " ")
}

// consenting leaves out the customers that do not consent to examples, and samples whose text is gone.
func (x *Explainer) consenting(list []quality.ScoredSample, left *int) []quality.ScoredSample {
	var out []quality.ScoredSample
	for _, s := range list {
		if s.Input != "" && !x.refuses(s.Customer) {
			out = append(out, s)
		} else if left != nil {
			*left++
		}
	}
	return out
}

// pair is a sample before and one after that asked for much the same.
type pair struct {
	before, after quality.ScoredSample
	why           string
}

// canaryPairs are the same golden prompts before and after.
func (x *Explainer) canaryPairs(ctx context.Context, q quality.ScoreQuery) ([]pair, error) {
	q.Slice = quality.Slice{"source": quality.SourceCanary}
	worst, err := x.o.Store.ExtremeScores(ctx, q, q.After, false, 1, worstWanted)
	if err != nil || len(worst) == 0 {
		return nil, err
	}
	best, err := x.o.Store.ExtremeScores(ctx, q, q.Before, true, 1, matchWanted)
	if err != nil {
		return nil, err
	}
	prompt := func(s quality.ScoredSample) string {
		return s.Attributes["canary"] + "\x00" + s.Attributes["prompt_id"]
	}
	by := map[string]quality.ScoredSample{}
	for _, b := range x.consenting(best, nil) {
		by[prompt(b)] = b
	}
	var out []pair
	for _, w := range x.consenting(worst, nil) {
		b, ok := by[prompt(w)]
		if ok && sign(q.Worse)*(w.Value-b.Value) > 0 && len(out) < keepPairs/2 {
			out = append(out, pair{b, w, "the same golden prompt"})
		}
	}
	return out, nil
}

// words are those of the beginning of an input, in small letters.
func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		out[w] = true
	}
	return out
}

// similarity is the share of words that two texts have in common, 0 to 1.
func similarity(a, b map[string]bool) float64 {
	common := 0
	for w := range a {
		if b[w] {
			common++
		}
	}
	if all := len(a) + len(b) - common; all > 0 {
		return float64(common) / float64(all)
	}
	return 1
}

// diverse takes samples in their order, and leaves out those that ask what one before did. When too few
// differ, those that were left out fill up.
func diverse(list []quality.ScoredSample, most int) (out []quality.ScoredSample) {
	var seen []map[string]bool
	var repeats []quality.ScoredSample
	for _, s := range list {
		w := words(s.Input)
		if slices.ContainsFunc(seen, func(o map[string]bool) bool { return similarity(w, o) > alike }) {
			repeats = append(repeats, s)
			continue
		}
		seen, out = append(seen, w), append(out, s)
	}
	out = append(out, repeats...)
	return out[:min(len(out), most)]
}

// match pairs bad samples with the likest good ones of before, of the same customer and language where there
// are some. Each sample is in one pair.
func match(bad, good []quality.ScoredSample, worse quality.Direction, most int) (out []pair) {
	bags := make([]map[string]bool, len(good))
	for i := range good {
		bags[i] = words(good[i].Input)
	}
	used := make([]bool, len(good))
	for _, b := range bad {
		if len(out) >= most {
			break
		}
		w, best, score := words(b.Input), -1, 0.0
		for i := range good {
			g := &good[i]
			s := similarity(w, bags[i])
			if used[i] || s < pairAlike || sign(worse)*(b.Value-g.Value) <= 0 {
				continue
			}
			if s += nearness(b, *g); best < 0 || s > score {
				best, score = i, s
			}
		}
		if best >= 0 {
			used[best] = true
			out = append(out, pair{good[best], b, fmt.Sprintf("inputs with %.0f %% of their words in common", 100*similarity(w, bags[best]))})
		}
	}
	return out
}

func nearness(a, b quality.ScoredSample) (s float64) {
	if a.Customer == b.Customer {
		s += 0.5
	}
	if a.Attributes["language"] == b.Attributes["language"] {
		s += 0.5
	}
	return s
}

// fetch reads the whole samples.
func (x *Explainer) fetch(ctx context.Context, q quality.ScoreQuery, out *quality.Evidence, worst []quality.ScoredSample, pairs []pair) error {
	type want struct {
		quality.ScoredSample
		quality.Example
	}
	var wants []want
	for _, w := range worst {
		wants = append(wants, want{w, quality.Example{Role: quality.ExampleWorst}})
	}
	for i, p := range pairs {
		wants = append(wants, want{p.before, quality.Example{Role: quality.ExampleBefore, Pair: i + 1, Why: p.why}},
			want{p.after, quality.Example{Role: quality.ExampleAfter, Pair: i + 1, Why: p.why}})
	}
	var list []quality.ScoredSample
	for _, w := range wants {
		list = append(list, w.ScoredSample)
	}
	full, err := x.o.Store.SamplesOf(ctx, q.Feature, list)
	if err != nil {
		return err
	}
	by := map[string]quality.Sample{}
	for _, s := range full {
		by[s.ID] = s
	}
	size := 0
	for _, w := range wants {
		s, ok := by[w.ID]
		ex := w.Example
		ex.Score, ex.Outside = w.Value, x.consent[s.Customer]
		ex.Sample, ex.Cut = shorten(s)
		data, err := json.Marshal(ex)
		// The sample is asked once more: a score may carry another customer than its sample, or none.
		if !ok || err != nil || size+len(data) > maxEvidence || x.refuses(s.Customer) {
			out.Left++
			continue
		}
		size += len(data)
		out.Examples = append(out.Examples, ex)
	}
	out.Examples = paired(out.Examples)
	return nil
}

// paired leaves out the halves of pairs whose other half is gone.
func paired(list []quality.Example) []quality.Example {
	halves := map[int]int{}
	for _, e := range list {
		halves[e.Pair]++
	}
	return slices.DeleteFunc(list, func(e quality.Example) bool { return e.Pair > 0 && halves[e.Pair] < 2 })
}

// shorten bounds a sample. What has no sensible short form is left out.
func shorten(s quality.Sample) (quality.Sample, bool) {
	short := false
	text := func(t string) string {
		if len(t) > maxText {
			short = true
			return strings.ToValidUTF8(t[:maxText], "") + " …"
		}
		return t
	}
	content := func(c quality.Content) quality.Content {
		if c.Messages == nil {
			return quality.Text(text(c.Text))
		}
		n := len(c.Messages)
		if n > maxDocuments { // the last ones are those that the output answers
			short, n = true, maxDocuments
		}
		list := slices.Clone(c.Messages[len(c.Messages)-n:])
		for i := range list {
			list[i].Content = text(list[i].Content)
		}
		return quality.Content{Messages: list}
	}
	s.Input, s.Output = content(s.Input), content(s.Output)
	if s.Reference != nil {
		r := text(*s.Reference)
		s.Reference = &r
	}
	if len(s.Context) > maxDocuments {
		s.Context, short = s.Context[:maxDocuments], true
	}
	s.Context = slices.Clone(s.Context)
	for i := range s.Context {
		s.Context[i].Text = text(s.Context[i].Text)
	}
	s.Error = text(s.Error)
	size := 0
	for i, t := range s.Tools {
		if size += len(t.Arguments) + len(t.Result); size > maxExampleLen {
			s.Tools, short = s.Tools[:i], true
			break
		}
	}
	if p := fmt.Sprint(s.Params); len(p) > maxExampleLen {
		s.Params, short = nil, true
	}
	return s, short
}

// attributesOf are all that the figures are split by, the well-known ones first.
func attributesOf(found, sliced []string) []string {
	out := []string{"customer", "model", "prompt", "source", quality.AttributeVersion}
	for _, a := range append(slices.Clone(sliced), found...) {
		if !slices.Contains(out, a) && len(out) < maxAttributes {
			out = append(out, a)
		}
	}
	return out
}

// bySplit puts the split that explains most first, and those by the product's own choices last.
func bySplit(a, b quality.Split) int {
	if a.Product != b.Product {
		if a.Product {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(b.Gain, a.Gain), cmp.Compare(a.Attribute, b.Attribute))
}
