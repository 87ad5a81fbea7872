package wire

import (
	"maps"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Scores in their compact form: the number of them, then each with a mask, numbers, and texts. A text that was there
// before is its place in a list, since most texts of scores are the same over and over; attributes that are those of
// the score before are a bit of the mask.
const (
	scoreLate = 1 << iota
	scoreAside
	scoreSameAttributes
	scoreHasTime
	scoreUnweighted // the weight is 1
	scoreDetails    // label, explanation, error or giver
)

// WriteScores makes a message of scores.
func WriteScores(scores []quality.Score) []byte {
	w := scoreWriter{buf: make([]byte, 0, 64*len(scores)+16), known: map[string]uint64{}}
	w.buf = appendNumber(append(w.buf, formCompact), uint64(len(scores)))
	for i := range scores {
		w.score(&scores[i])
	}
	return w.buf
}

type scoreWriter struct {
	buf   []byte
	known map[string]uint64
	last  map[string]string // attributes
}

func (w *scoreWriter) score(s *quality.Score) {
	mask := w.mask(s)
	w.buf = appendNumber(w.buf, mask)
	if mask&scoreHasTime != 0 {
		w.buf = appendTime(w.buf, s.Time)
	}
	w.buf = appendFloat(w.buf, s.Value)
	if mask&scoreUnweighted == 0 {
		w.buf = appendFloat(w.buf, s.Weight)
	}
	w.new(s.SampleID)
	for _, x := range []string{s.Feature, s.Metric, s.Scorer, s.Version, s.Customer, s.Model, s.Prompt, s.Source} {
		w.text(x)
	}
	if mask&scoreDetails != 0 {
		w.text(s.Label)
		w.text(s.By)
		w.new(s.Explanation)
		w.new(s.Error)
	}
	if mask&scoreSameAttributes == 0 {
		w.attributes(s.Attributes)
	}
}

func (w *scoreWriter) mask(s *quality.Score) (mask uint64) {
	for _, x := range []struct {
		bit   uint64
		there bool
	}{
		{scoreLate, s.Late}, {scoreAside, s.Aside}, {scoreSameAttributes, maps.Equal(s.Attributes, w.last)}, {scoreHasTime, !s.Time.IsZero()},
		{scoreUnweighted, s.Weight == 1}, {scoreDetails, s.Label != "" || s.Explanation != "" || s.Error != "" || s.By != ""},
	} {
		if x.there {
			mask |= x.bit
		}
	}
	return mask
}

// text writes a text that may come again.
func (w *scoreWriter) text(s string) {
	s = valid(s)
	at, ok := w.known[s]
	if !ok {
		at = uint64(len(w.known))
		w.known[s] = at
	}
	if w.buf = appendNumber(w.buf, at); !ok {
		w.new(s)
	}
}

// new writes a text that hardly comes again.
func (w *scoreWriter) new(s string) {
	s = valid(s)
	w.buf = append(appendNumber(w.buf, uint64(len(s))), s...)
}

func (w *scoreWriter) attributes(all map[string]string) {
	w.last = all
	w.buf = appendNumber(w.buf, uint64(len(all)))
	for k, v := range all {
		w.text(k)
		w.text(v)
	}
}

// ReadScores reads a message of scores, in the compact form or as JSON. Scores may share their attributes.
func ReadScores(message []byte) (scores []quality.Score, err error) {
	if len(message) == 0 || message[0] != formCompact {
		err = Unmarshal(message, &scores)
		return scores, err
	}
	r := scoreReader{cursor: cursor{rest: message[1:]}}
	scores = make([]quality.Score, r.count(leastScore))
	for i := range scores {
		r.score(&scores[i])
	}
	if r.broken || len(r.rest) > 0 {
		return nil, errBroken
	}
	return scores, nil
}

// leastScore is how few bytes a score can have.
const leastScore = 18

type scoreReader struct {
	cursor
	known []string
	last  map[string]string
}

func (r *scoreReader) score(s *quality.Score) {
	mask := r.number()
	s.Late, s.Aside = mask&scoreLate != 0, mask&scoreAside != 0
	if mask&scoreHasTime != 0 {
		s.Time = r.time()
	}
	s.Value, s.Weight = r.float(), 1
	if mask&scoreUnweighted == 0 {
		s.Weight = r.float()
	}
	s.SampleID = r.new()
	for _, x := range []*string{&s.Feature, &s.Metric, &s.Scorer, &s.Version, &s.Customer, &s.Model, &s.Prompt, &s.Source} {
		*x = r.text()
	}
	if mask&scoreDetails != 0 {
		s.Label, s.By = r.text(), r.text()
		s.Explanation, s.Error = r.new(), r.new()
	}
	if mask&scoreSameAttributes == 0 {
		r.attributes()
	}
	s.Attributes = r.last
}

func (r *scoreReader) text() string {
	at := r.number()
	if at < uint64(len(r.known)) {
		return r.known[at]
	}
	if at > uint64(len(r.known)) {
		r.fail()
		return ""
	}
	s := r.new()
	r.known = append(r.known, s)
	return s
}

func (r *scoreReader) new() string { return string(r.take(r.number())) }

func (r *scoreReader) attributes() {
	n := r.count(2)
	r.last = nil
	if n == 0 {
		return
	}
	r.last = make(map[string]string, n)
	for range n {
		k, v := r.text(), r.text()
		r.last[k] = v
	}
}
