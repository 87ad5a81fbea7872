package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Limits on the entries.
const (
	maxRejections = 100            // listed in a reply; all are counted
	maxAhead      = 24 * time.Hour // how far in the future a change may take effect
)

// Result says what became of changes that were sent.
type Result struct {
	Accepted   int         `json:"accepted"`   // new, and durable
	Duplicates int         `json:"duplicates"` // known by their ids
	Refused    int         `json:"refused"`    // all that were refused
	IDs        []string    `json:"ids"`        // of the accepted and the duplicates, in their order
	Rejected   []Rejection `json:"rejected"`   // the first of those refused

	forbidden int // of Refused
}

// Rejection is one change that was refused. It has either a line or an index.
type Rejection struct {
	Line  int    `json:"line,omitempty"`  // of NDJSON, 1-based
	Index *int   `json:"index,omitempty"` // in an array, 0-based
	Error string `json:"error"`
}

func newResult() Result { return Result{IDs: []string{}, Rejected: []Rejection{}} }

func (r *Result) reject(at place, err error) {
	r.Refused++
	if quality.KindOf(err) == quality.KindForbidden {
		r.forbidden++
	}
	if len(r.Rejected) >= maxRejections {
		return
	}
	x := Rejection{Line: at.line, Error: err.Error()}
	if at.line == 0 {
		x.Index = &at.index
	}
	r.Rejected = append(r.Rejected, x)
}

// Accept enters changes as a request would: each is checked apart, known ids are duplicates, and the rest is
// durable when it returns. An error means that some were not stored for a reason that is not theirs; the
// result says how many were.
func (l *Ledger) Accept(ctx context.Context, changes []quality.Change) (Result, error) {
	r := newResult()
	for i := range changes {
		if err := l.take(ctx, &r, place{index: i}, changes[i]); err != nil {
			return r, err
		}
	}
	return r, nil
}

// take enters one change. Its own faults go into the result.
func (l *Ledger) take(ctx context.Context, r *Result, at place, c quality.Change) error {
	err := l.mayTell(ctx, c.Features)
	if err == nil {
		c, err = l.prepare(c)
	}
	if err != nil {
		l.metrics.count(quality.ChangeAPI, resultRefused)
		r.reject(at, err)
		return nil
	}
	created, err := l.enterDeclared(ctx, c)
	if err != nil {
		l.metrics.count(c.Source, resultFailed)
		return err
	}
	r.IDs = append(r.IDs, c.ID)
	if !created {
		l.metrics.count(c.Source, resultDuplicate)
		r.Duplicates++
		return nil
	}
	l.metrics.count(c.Source, resultNew)
	r.Accepted++
	return nil
}

// mayTell asks whether the sender may tell of a change of features. One that names none is of them all.
func (l *Ledger) mayTell(ctx context.Context, features []string) error {
	if len(features) == 0 {
		return l.opts.Allow(ctx, "")
	}
	for _, f := range features {
		if err := l.opts.Allow(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// prepare checks a change and fills in what its sender may leave out.
func (l *Ledger) prepare(c quality.Change) (quality.Change, error) {
	if err := senderMay(&c); err != nil {
		return c, err
	}
	return l.complete(c, l.opts.Now())
}

// senderMay refuses what only Asgood may say of a change.
func senderMay(c *quality.Change) error {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"recorded_at", !c.RecordedAt.IsZero()}, {"undeclared", c.Undeclared}, {"first_seen", !c.FirstSeen.IsZero()}, {"facets", c.Facets != nil}, {"share", c.Share != 0},
		{"samples", c.Samples != 0}, {"flags", c.Flags != nil}, {"explained_by", c.ExplainedBy != ""}, {"told_at", !c.ToldAt.IsZero()},
	} {
		if f.set {
			return quality.Errorf(quality.KindInvalid, "field %q: set by Asgood, not by a sender", f.name)
		}
	}
	if c.Source == "" {
		c.Source = quality.ChangeAPI
	}
	if c.Source != quality.ChangeAPI && c.Source != quality.ChangeCLI {
		return quality.Errorf(quality.KindInvalid, "field %q: want %s or %s, got %.40q", "source", quality.ChangeAPI, quality.ChangeCLI, string(c.Source))
	}
	return nil
}

func (l *Ledger) complete(c quality.Change, now time.Time) (quality.Change, error) {
	if err := c.Validate(); err != nil {
		return c, err
	}
	if err := l.checkFeatures(c.Features); err != nil {
		return c, err
	}
	if c.At.IsZero() {
		c.At = now
	}
	if c.At.After(now.Add(maxAhead)) || c.At.Before(now.Add(-l.opts.Retention)) {
		return c, quality.Errorf(quality.KindInvalid, "field %q: want a time in the last %d days, or at most a day ahead, got %s",
			"at", int(l.opts.Retention.Hours()/24), c.At.Format(time.RFC3339))
	}
	if c.ID == "" {
		c.ID = ulid.Make().String()
	}
	c.At, c.RecordedAt = c.At.UTC(), now.UTC()
	c.SetFlag(quality.FlagNoOwner, c.Owner == "")
	return c, nil
}

func (l *Ledger) checkFeatures(names []string) error {
	for _, name := range names {
		if _, ok := l.owners[name]; !ok {
			known := slices.Sorted(maps.Keys(l.owners))
			return quality.Errorf(quality.KindInvalid, "field %q: no feature %.80q is configured (known: %s)", "features", name, few(known))
		}
	}
	return nil
}

// few lists the first of many names.
func few(names []string) string {
	const most = 20
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// enterDeclared stores a change that somebody declared, and lets it explain what was seen. It reports false
// when its id is known.
func (l *Ledger) enterDeclared(ctx context.Context, c quality.Change) (bool, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if _, known := l.book.get(c.ID); known {
		return false, nil
	}
	created, err := l.book.create(ctx, c)
	if err != nil || !created {
		return false, err
	}
	l.adopt(ctx, &c)
	l.rouse()
	return true, nil
}

// adopt marks what was seen before and is explained by a change. What fails here is made up for before an
// owner is told.
func (l *Ledger) adopt(ctx context.Context, declared *quality.Change) {
	for _, seen := range l.book.filter((*quality.Change).Unexplained) {
		if !explains(l.opts.Spec.Undeclared, declared, &seen) {
			continue
		}
		if err := l.explain(ctx, seen.ID, declared.ID); err != nil {
			l.opts.Logger.Warn("not noted yet what explains a change", "id", seen.ID, "explained_by", declared.ID, "err", err)
		}
	}
}

func (l *Ledger) explain(ctx context.Context, seen, by string) error {
	return l.book.revise(ctx, seen, func(c *quality.Change) bool {
		if !c.Unexplained() {
			return false
		}
		c.ExplainedBy = by
		return true
	})
}

func (l *Ledger) rouse() {
	select {
	case l.wake <- struct{}{}:
	default: // it is awake
	}
}

// record enters what a webhook told. What is told again is a duplicate; the end of a deployment that is
// known completes its entry.
func (l *Ledger) record(ctx context.Context, c quality.Change) (result string, err error) {
	created, err := l.enterDeclared(ctx, c)
	if err != nil || created {
		return resultNew, err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	result = resultDuplicate
	err = l.book.revise(ctx, c.ID, func(old *quality.Change) bool {
		if !advances(old, &c) {
			return false
		}
		result = resultNew
		old.At, old.Reference = c.At, c.Reference
		old.SetFlag(quality.FlagStarted, false)
		old.SetFlag(quality.FlagFailed, c.Flagged(quality.FlagFailed))
		c = *old
		return true
	})
	if err == nil && result == resultNew {
		l.adopt(ctx, &c)
	}
	return result, err
}

// advances reports whether a deployment has come further: from its start to its end, or from a failure to
// success when it was tried again.
func advances(old, c *quality.Change) bool {
	failed := c.Flagged(quality.FlagFailed)
	switch {
	case c.Flagged(quality.FlagStarted):
		return false
	case old.Flagged(quality.FlagStarted):
		return true
	default:
		return old.Flagged(quality.FlagFailed) && !failed
	}
}
