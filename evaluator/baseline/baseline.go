// Package baseline keeps the baselines of monitors as versions with an owner and a history: what later scores
// are compared with, who said so, and why. It refuses what would make bad quality the rule: scores of an open
// or past regression, of a blind monitor, of several scorers, and what slid down slowly.
//
// Scores of a version outlive the retention of the database: they lie in a bucket, as documents named by
// their content. The package leaves out the comparing itself, which is package evaluator's.
package baseline

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bucket stores documents by key.
type Bucket interface {
	// Get returns a document and its revision, or an error of kind not found.
	Get(ctx context.Context, key string) ([]byte, uint64, error)
	// Put stores a document in the place of the one before.
	Put(ctx context.Context, key string, data []byte) (uint64, error)
	// Create stores a document where there is none; where there is one it is a conflict.
	Create(ctx context.Context, key string, data []byte) (uint64, error)
	// Update stores a document if the revision is still the latest; else it is a conflict.
	Update(ctx context.Context, key string, data []byte, rev uint64) (uint64, error)
	// Delete removes a document; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Facts is what is known of the scores that may become a baseline.
type Facts interface {
	// Scores returns the scores of a period, the oldest first, at most limit.
	Scores(ctx context.Context, feature, metric string, from, to time.Time, limit int) ([]quality.Score, error)
	// Regressions returns all known regressions.
	Regressions(ctx context.Context) ([]quality.Regression, error)
	// Statuses returns what every monitor can tell.
	Statuses(ctx context.Context) ([]quality.MonitorStatus, error)
	// ChangedSince returns the latest change of a feature at or after a time, nil when there is none.
	ChangedSince(ctx context.Context, feature string, since time.Time) (*quality.Change, error)
}

// Options configures a Keeper.
type Options struct {
	Features []quality.Feature
	Bucket   Bucket
	Facts    Facts
	// InForce is told of the baseline that came in force, with the acceptance of a new level if it was one. A
	// running monitor starts anew from it. Nil means that none runs.
	InForce func(ctx context.Context, feature, metric string, spec quality.BaselineSpec, accepted *Acceptance) error
	Now     func() time.Time // default time.Now
	Logger  *slog.Logger     // nil means silence
}

// Acceptance is the act of a person who takes a worse level as the new one.
type Acceptance struct{ Regression, By, Reason string }

// Keeper keeps baselines. It is safe for concurrent use.
type Keeper struct {
	o   Options
	log *slog.Logger
	mu  sync.Mutex // one act at a time
}

// New returns a keeper.
func New(o Options) (*Keeper, error) {
	if o.Bucket == nil || o.Facts == nil {
		return nil, quality.Errorf(quality.KindInternal, "baseline: Bucket and Facts are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Keeper{o: o, log: o.Logger.With("component", "baselines")}, nil
}

// Bounds of a book.
const (
	maxVersions = 500     // the history; older versions and pins are forgotten
	keepScores  = 20      // versions whose scores are kept, beside the one in force and the original
	keepSlices  = 10      // whose figures an older version shows: a book is one document, and must fit into one
	maxDocument = 512_000 // bytes of a document of scores
)

func bookKey(feature, metric string) string { return "book/" + feature + "/" + metric }

func scoresKey(digest string, i int) string { return fmt.Sprintf("scores/%.32s/%d", digest, i) }

// monitor returns the configured monitor of a metric, or an error of kind not found.
func (k *Keeper) monitor(feature, metric string) (*quality.MonitorSpec, error) {
	for i := range k.o.Features {
		for j := range k.o.Features[i].Monitors {
			if m := &k.o.Features[i].Monitors[j]; k.o.Features[i].Name == feature && m.Metric == metric {
				return m, nil
			}
		}
	}
	return nil, quality.Errorf(quality.KindNotFound, "no monitor of metric %q of feature %q", metric, feature)
}

// Books returns the book of every monitor, in the order of the configuration.
func (k *Keeper) Books(ctx context.Context) ([]quality.BaselineBook, error) {
	out := []quality.BaselineBook{}
	for _, f := range k.o.Features {
		for _, m := range f.Monitors {
			b, _, err := k.book(ctx, f.Name, m.Metric)
			if err != nil {
				return nil, err
			}
			out = append(out, b)
		}
	}
	return out, nil
}

// Book returns the versions of a baseline, or an error of kind not found when nothing monitors the metric.
func (k *Keeper) Book(ctx context.Context, feature, metric string) (quality.BaselineBook, error) {
	if _, err := k.monitor(feature, metric); err != nil {
		return quality.BaselineBook{}, err
	}
	b, _, err := k.book(ctx, feature, metric)
	return b, err
}

func (k *Keeper) book(ctx context.Context, feature, metric string) (quality.BaselineBook, uint64, error) {
	b := quality.BaselineBook{Feature: feature, Metric: metric, Versions: []quality.Baseline{}, Pins: []quality.BaselinePin{}}
	data, rev, err := k.o.Bucket.Get(ctx, bookKey(feature, metric))
	if err != nil {
		if quality.KindOf(err) == quality.KindNotFound {
			return b, 0, nil
		}
		return b, 0, fmt.Errorf("reading the baseline of metric %q of feature %q: %w", metric, feature, err)
	}
	if err := json.Unmarshal(data, &b); err != nil {
		return b, 0, fmt.Errorf("decoding the baseline of metric %q of feature %q: %w", metric, feature, err)
	}
	return b, rev, nil
}

// save writes a book, unless somebody else did since it was read.
func (k *Keeper) save(ctx context.Context, b *quality.BaselineBook, rev uint64) error {
	b.Versions = b.Versions[max(0, len(b.Versions)-maxVersions):]
	b.Pins = b.Pins[max(0, len(b.Pins)-maxVersions):]
	data, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encoding the baseline of metric %q of feature %q: %w", b.Metric, b.Feature, err)
	}
	key := bookKey(b.Feature, b.Metric)
	if rev == 0 {
		_, err = k.o.Bucket.Create(ctx, key, data)
	} else {
		_, err = k.o.Bucket.Update(ctx, key, data, rev)
	}
	if err != nil {
		return fmt.Errorf("storing the baseline of metric %q of feature %q: %w", b.Metric, b.Feature, err)
	}
	return nil
}

// Spec returns the baseline in force as a monitor's configuration has it, and whether there is one: else what
// is configured counts.
func (k *Keeper) Spec(ctx context.Context, feature, metric string) (quality.BaselineSpec, bool, error) {
	b, _, err := k.book(ctx, feature, metric)
	if err != nil {
		return quality.BaselineSpec{}, false, err
	}
	v := b.Version(b.InForce)
	if v == nil {
		return quality.BaselineSpec{}, false, nil
	}
	return quality.BaselineSpec{Pinned: v.Pinned()}, true, nil
}

// Scores returns the scores of a stored version by the name that Spec gives it, or an error of kind not found.
func (k *Keeper) Scores(ctx context.Context, feature, metric, pinned string) ([]quality.Score, error) {
	b, _, err := k.book(ctx, feature, metric)
	if err != nil {
		return nil, err
	}
	for i := range b.Versions {
		if b.Versions[i].Pinned() == pinned {
			return k.scores(ctx, &b.Versions[i])
		}
	}
	return nil, quality.Errorf(quality.KindNotFound, "metric %q of feature %q has no baseline %q", metric, feature, pinned)
}

func (k *Keeper) scores(ctx context.Context, v *quality.Baseline) ([]quality.Score, error) {
	if v.Documents == 0 {
		return nil, quality.Errorf(quality.KindConflict, "the scores of version %d are not kept any more", v.Version)
	}
	var all []byte
	for i := range v.Documents {
		data, _, err := k.o.Bucket.Get(ctx, scoresKey(v.Digest, i))
		if err != nil {
			return nil, fmt.Errorf("reading the scores of version %d: %w", v.Version, err)
		}
		all = append(all, data...)
	}
	if digestOf(all) != v.Digest {
		return nil, quality.Errorf(quality.KindInternal, "the scores of version %d are damaged", v.Version)
	}
	return unpack(v.Feature, v.Metric, all)
}

// store writes scores down before the book names them.
func (k *Keeper) store(ctx context.Context, m *quality.MonitorSpec, v *quality.Baseline, scores []quality.Score) error {
	data, err := pack(v.Feature, m, scores)
	if err != nil {
		return err
	}
	v.Digest = digestOf(data)
	for part := range slices.Chunk(data, maxDocument) {
		if _, err := k.o.Bucket.Put(ctx, scoresKey(v.Digest, v.Documents), part); err != nil {
			return fmt.Errorf("storing the scores of a baseline: %w", err)
		}
		v.Documents++
	}
	return nil
}

// giveUp marks the versions whose scores are kept no longer, and returns the keys of their documents, to be
// removed when the book is saved.
func (k *Keeper) giveUp(b *quality.BaselineBook) (keys []string) {
	original, held := b.Original(), map[string]bool{}
	var old []*quality.Baseline
	for i := range b.Versions {
		v := &b.Versions[i]
		if i >= len(b.Versions)-keepScores || v == original || v.Version == b.InForce {
			held[v.Digest] = true
		} else if v.Documents > 0 {
			old = append(old, v)
		}
	}
	for _, v := range old {
		for i := 0; i < v.Documents && !held[v.Digest]; i++ {
			keys = append(keys, scoresKey(v.Digest, i))
		}
		v.Documents, v.Slices = 0, v.Slices[:min(len(v.Slices), keepSlices)]
	}
	return keys
}

// remove deletes documents that no book names. What cannot be removed now stays, and harms nothing.
func (k *Keeper) remove(ctx context.Context, keys []string) {
	for _, key := range keys {
		if err := k.o.Bucket.Delete(ctx, key); err != nil {
			k.log.Warn("scores of an old baseline stay", "key", key, "err", err)
		}
	}
}

// named checks who acts and why.
func named(by, reason string) error {
	for _, f := range []struct{ name, value string }{{"by", by}, {"reason", reason}} {
		if strings.TrimSpace(f.value) == "" || len(f.value) > 4*quality.MaxNameLen {
			return quality.Errorf(quality.KindInvalid, "field %q: required, and at most %d bytes", f.name, 4*quality.MaxNameLen)
		}
		if quality.Visible(f.value) != f.value {
			return quality.Errorf(quality.KindInvalid, "field %q: holds characters that cannot be seen", f.name)
		}
	}
	return nil
}
