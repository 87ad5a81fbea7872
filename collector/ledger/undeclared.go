package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/collector/ledger/tracker"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of what is entered and told.
const (
	togetherTime = 10 * time.Minute    // values of one layer first seen so near each other are one change
	tellWithin   = 30 * 24 * time.Hour // older ones, from history that was brought in, are entered and not told
	tellPerDay   = 50                  // more wait for the next day
	maxEntries   = 50_000              // the oldest go first
	shareStep    = 0.01                // smaller steps of a share are not worth a write
	shareSettles = 24 * time.Hour      // until then a share may also fall; the first few samples say little
)

// enterFindings makes entries of what was seen. What is known of the features is saved before, so that a
// crash in between leads to the same entries.
func (l *Ledger) enterFindings(ctx context.Context, now time.Time) error {
	found := l.tracker.Findings()
	if len(found) == 0 {
		return nil
	}
	if err := l.save(ctx); err != nil {
		return err
	}
	for _, x := range found {
		if err := l.enter(ctx, x, now); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) enter(ctx context.Context, x tracker.Finding, now time.Time) error {
	c := l.observed(x, now)
	l.writing.Lock()
	defer l.writing.Unlock()
	if id, known := l.entered(&c); known {
		l.tracker.Settle(x, id)
		return nil
	}
	if by := l.explanation(&c); by != "" {
		l.opts.Logger.Info("seen in the samples as declared", "feature", x.Feature, "layer", x.Layer, "change", by)
		l.tracker.Settle(x, "")
		return nil
	}
	if other, ok := l.together(&c); ok {
		err := l.book.revise(ctx, other, func(old *quality.Change) bool { return join(old, &c) })
		if err != nil {
			return err
		}
		l.tracker.Settle(x, other)
		return nil
	}
	if _, err := l.book.create(ctx, c); err != nil {
		return err
	}
	l.metrics.count(quality.ChangeObserved, resultNew)
	l.opts.Logger.Info("undeclared change", "id", c.ID, "feature", x.Feature, "layer", x.Layer, "before", c.Before, "after", c.After)
	l.tracker.Settle(x, c.ID)
	return nil
}

// observed is the entry of a finding. Its id follows from what was found.
func (l *Ledger) observed(x tracker.Finding, now time.Time) quality.Change {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d", x.Feature, x.Layer, x.Facet, x.After, x.FirstSeen.UnixNano()))
	c := quality.Change{
		ID: "observed_" + hex.EncodeToString(sum[:10]), At: x.FirstSeen, RecordedAt: now.UTC(), Features: []string{x.Feature}, Layer: x.Layer,
		Title:       strings.ToUpper(string(x.Layer[:1])) + string(x.Layer[1:]) + " changed, and nobody recorded it",
		Description: "Seen in the samples. No entry of this layer near the time it was first seen explains it, and none names it.",
		Owner:       l.owners[x.Feature], Before: x.Before, After: x.After,
		Source: quality.ChangeObserved, Undeclared: true, Facets: []string{x.Facet}, FirstSeen: x.FirstSeen, Share: rounded(x.Share), Samples: x.Samples,
	}
	c.SetFlag(quality.FlagNoOwner, c.Owner == "")
	return c
}

// entered finds the entry of a finding that was entered before a crash, by itself or joined to another.
func (l *Ledger) entered(c *quality.Change) (string, bool) {
	if _, known := l.book.get(c.ID); known {
		return c.ID, true
	}
	for _, o := range l.book.newest() {
		if o.Undeclared && o.Layer == c.Layer && o.Touches(c.Features[0]) && slices.Contains(o.Facets, c.Facets[0]) &&
			o.FirstSeen.Sub(c.FirstSeen).Abs() <= togetherTime && slices.Contains(strings.Split(o.After, joint), c.After) {
			return o.ID, true
		}
	}
	return "", false
}

func rounded(share float64) float64 { return math.Round(share*1e4) / 1e4 }

// explanation is the id of the declared change that explains one that was seen, empty when there is none.
func (l *Ledger) explanation(seen *quality.Change) string {
	for _, c := range l.book.newest() {
		if explains(l.opts.Spec.Undeclared, c, seen) {
			return c.ID
		}
	}
	return ""
}

// together finds the entry of the same change: a new version of a prompt has a new name and a new text. Two
// new values of one facet are two changes.
func (l *Ledger) together(c *quality.Change) (string, bool) {
	for _, o := range l.book.newest() {
		if o.Unexplained() && o.Layer == c.Layer && o.Touches(c.Features[0]) && !slices.Contains(o.Facets, c.Facets[0]) && o.FirstSeen.Sub(c.FirstSeen).Abs() <= togetherTime {
			return o.ID, true
		}
	}
	return "", false
}

// join adds a value of another facet to an entry.
func join(old, c *quality.Change) bool {
	if slices.Contains(old.Facets, c.Facets[0]) {
		return false
	}
	before, after := old.Before+joint+c.Before, old.After+joint+c.After
	if len(before) > quality.MaxChangeLine || len(after) > quality.MaxChangeLine {
		return false // the entry says enough
	}
	old.Before, old.After, old.Facets = before, after, append(slices.Clone(old.Facets), c.Facets[0])
	if c.FirstSeen.Before(old.FirstSeen) {
		old.FirstSeen, old.At = c.FirstSeen, c.At
	}
	old.Share, old.Samples = max(old.Share, c.Share), max(old.Samples, c.Samples)
	return true
}

// followShares brings shares up to date. After a day they only grow.
func (l *Ledger) followShares(ctx context.Context, now time.Time) error {
	latest := map[string]tracker.Progress{}
	for _, p := range l.tracker.Progress() {
		if p.Share >= latest[p.Change].Share {
			latest[p.Change] = p
		}
	}
	var errs []error
	for id, p := range latest {
		c, ok := l.book.get(id)
		if !ok || !shareMoved(&c, p.Share, now) {
			continue
		}
		errs = append(errs, l.book.revise(ctx, id, func(c *quality.Change) bool {
			c.Share, c.Samples = rounded(p.Share), p.Samples
			return true
		}))
	}
	return errors.Join(errs...)
}

func shareMoved(c *quality.Change, share float64, now time.Time) bool {
	step := share - c.Share
	return step >= shareStep || step <= -shareStep && now.Sub(c.FirstSeen) < shareSettles
}

// tellOwners tells of what is flagged, once each. Of an undeclared change they are told when the time for
// declaring it is over.
func (l *Ledger) tellOwners(ctx context.Context, now time.Time) error {
	room := tellPerDay - len(l.book.filter(func(c *quality.Change) bool { return now.Sub(c.ToldAt) < 24*time.Hour }))
	held := 0
	for _, c := range l.book.filter(func(c *quality.Change) bool { return l.mustTell(c, now) }) {
		if c.Undeclared {
			if by := l.explanation(&c); by != "" { // entered by another process
				if err := l.explain(ctx, c.ID, by); err != nil {
					return err
				}
				continue
			}
		}
		if room--; room < 0 {
			held++
			continue
		}
		if err := l.tell(ctx, c, now); err != nil {
			return err
		}
	}
	l.metrics.held.Set(float64(held))
	return nil
}

func (l *Ledger) mustTell(c *quality.Change, now time.Time) bool {
	switch {
	case !c.ToldAt.IsZero() || now.Sub(c.At) > tellWithin || c.Flagged(quality.FlagFailed):
		return false
	case c.Undeclared:
		return c.Unexplained() && !now.Before(c.FirstSeen.Add(l.opts.Spec.Undeclared.After))
	default:
		return c.Flagged(quality.FlagNoOwner)
	}
}

func (l *Ledger) tell(ctx context.Context, c quality.Change, now time.Time) error {
	c.ToldAt = now.UTC()
	if err := l.opts.Tell(ctx, c); err != nil {
		return fmt.Errorf("telling of change %q: %w", c.ID, err)
	}
	reason := "unowned"
	if c.Undeclared {
		reason = "undeclared"
	}
	l.metrics.told.WithLabelValues(reason).Inc()
	return l.book.revise(ctx, c.ID, func(stored *quality.Change) bool {
		stored.ToldAt = c.ToldAt
		return true
	})
}

// sweep removes what is older than the retention, and the oldest beyond the most that is kept.
func (l *Ledger) sweep(ctx context.Context, now time.Time) error {
	all := l.book.newest()
	for i := len(all) - 1; i >= 0; i-- {
		if i < maxEntries && now.Sub(all[i].At) <= l.opts.Retention {
			return nil
		}
		if err := l.book.remove(ctx, all[i].ID); err != nil {
			return err
		}
		l.metrics.swept.Inc()
	}
	return nil
}

// Observed enters a change that another part of Asgood saw, such as a judge that scores its anchors otherwise
// than it did. Its id follows from what was seen, so that it is entered once. It returns the id of the entry:
// that of the declared change where one explains what was seen. Without an owner it gets the feature's.
func (l *Ledger) Observed(ctx context.Context, c quality.Change) (string, error) {
	c.Source, c.Undeclared = quality.ChangeObserved, true
	if c.Owner == "" && len(c.Features) > 0 {
		c.Owner = l.owners[c.Features[0]]
	}
	c, err := l.complete(c, l.opts.Now())
	if err != nil {
		return "", err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if by := l.explanation(&c); by != "" {
		return by, nil
	}
	created, err := l.book.create(ctx, c)
	if err != nil || !created {
		return c.ID, err
	}
	l.metrics.count(quality.ChangeObserved, resultNew)
	l.opts.Logger.Info("undeclared change", "id", c.ID, "features", c.Features, "layer", c.Layer, "title", c.Title)
	l.rouse()
	return c.ID, nil
}
