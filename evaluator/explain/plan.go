package explain

import "time"

// maxDue bounds how many regressions are kept up to date at once. Beyond it an open one is explained at its
// events only.
const maxDue = 10_000

// turn is when a regression is to be explained, and how often that failed since it last worked.
type turn struct {
	at       time.Time
	failures int
	again    int // how often it was explained at once again since its event
}

// mostAgain bounds how often scores are awaited that the store does not have yet: some never come.
const mostAgain = 4

// plan says which regression is to be explained next.
type plan struct{ due map[string]turn }

// event brings a regression's turn forward, never back: events that come one after the other do not put off
// the explanation.
func (p *plan) event(id string, at time.Time) {
	if t, ok := p.due[id]; !ok || at.Before(t.at) {
		p.due[id] = turn{at: at}
	}
}

// next is the regression that is due longest; equals go by id.
func (p *plan) next(now time.Time) (id string, ok bool) {
	var first time.Time
	for k, t := range p.due {
		if t.at.After(now) {
			continue
		}
		if !ok || t.at.Before(first) || t.at.Equal(first) && k < id {
			id, first, ok = k, t.at, true
		}
	}
	return id, ok
}

// waiting is how many are due.
func (p *plan) waiting(now time.Time) (n int) {
	for _, t := range p.due {
		if !t.at.After(now) {
			n++
		}
	}
	return n
}

// done sets the next turn of a regression, soon at first, since a young one has few scores, and then with
// growing pauses of at most again; 0 is never.
func (p *plan) done(id string, now time.Time, again time.Duration) {
	t := p.due[id]
	delete(p.due, id)
	if again > 0 && len(p.due) < maxDue {
		p.due[id] = turn{at: now.Add(min(again, againAfter<<min(t.again, 10))), again: t.again + 1}
	}
}

// patient reports whether scores that are missing may still come.
func (p *plan) patient(id string) bool { return p.due[id].again < mostAgain }

// failed sets the next try, with growing pauses.
func (p *plan) failed(id string, now time.Time) {
	t := p.due[id]
	wait := min(againAfter<<min(t.failures, 10), longestAgain)
	p.due[id] = turn{at: now.Add(wait), failures: t.failures + 1, again: t.again}
}
