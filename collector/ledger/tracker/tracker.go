// Package tracker notices that a feature runs on something new: a model, a prompt, tools, a retrieval index
// or a parameter that its samples did not carry before. It says since when, with how much of the traffic,
// and what was there before.
//
// It decides by the samples alone, does no input or output and takes the time as an argument. Whether
// somebody has declared what it finds, and who must hear of it, is the ledger's business. Its state is
// bounded, whatever comes, and can be saved and restored. Decision 0005 says why it decides as it does.
package tracker

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// When a value counts. Five times in 5,000 samples is at least 0.1 % of the recent traffic: one odd request
// is not a change.
const (
	initial = 200  // the first samples of a feature say what is usual
	least   = 5    // samples with a new value that make it a change
	within  = 5000 // samples of the feature among which they must be
)

// How long things last, in the time in which the feature has traffic.
const (
	forget = int64(30 * 24 * time.Hour) // a value not seen for so long is new when it comes back
	idle   = int64(24 * time.Hour)      // a longer pause of all traffic does not count as time
)

// Bounds of the state.
const (
	maxValues  = 64 // of one facet
	maxFacets  = 32 // parameters of one feature
	maxInitial = 16 // different values in the first samples, beyond which a facet varies by nature
	maxPerDay  = 8  // new values in a day, beyond which it does
	maxFast    = 4 * maxValues
	window     = 1000 // samples over which the most usual value is found
)

// Finding is a new value that has been seen often enough to be a change.
type Finding struct {
	Feature   string
	Layer     quality.Layer
	Facet     string // such as "model", or the name of a parameter
	Before    string // what was usual, short and readable; empty when nothing was
	After     string
	FirstSeen time.Time // time of the first sample
	Share     float64   // 0 to 1, of the feature's traffic since then
	Samples   uint64

	key string
}

// Progress is how far a value has come that was entered as a change.
type Progress struct {
	Feature string
	Change  string
	Share   float64
	Samples uint64
}

// Tracker follows the values of every configured feature. It is safe for concurrent use.
type Tracker struct {
	seed     maphash.Seed
	features map[string]*feature
	dropped  atomic.Uint64
}

// New returns a tracker that has seen nothing.
func New(features []quality.Feature) *Tracker {
	t := &Tracker{seed: maphash.MakeSeed(), features: map[string]*feature{}}
	for _, f := range features {
		t.features[f.Name] = newFeature(f.Name, t)
	}
	return t
}

// Observe notes what a sample was made with, and reports whether that completed a finding. Samples of
// canaries, of unknown features, and more than a day older than the newest, are passed over: history that
// is brought in later says nothing about today.
func (t *Tracker) Observe(s *quality.Sample, now time.Time) bool {
	f := t.features[s.Feature]
	if f == nil || s.Source != "" {
		return false
	}
	at := s.Time
	if at.IsZero() || at.After(now) {
		at = now
	}
	system := t.systemHash(s) // hashing a long text is done outside the lock
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.observe(s, at.UnixNano(), s.KeptWeight(), system)
}

// Dropped counts values that could not be tracked because the bounds of the state were reached.
func (t *Tracker) Dropped() uint64 { return t.dropped.Load() }

// Findings returns what was found and not settled yet, the first seen first.
func (t *Tracker) Findings() []Finding {
	var out []Finding
	for _, f := range t.features {
		out = append(out, f.findings()...)
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), cmp.Compare(a.Feature, b.Feature), cmp.Compare(a.Facet, b.Facet), cmp.Compare(a.key, b.key))
	})
	return out
}

// Settle notes that a finding was dealt with: entered as a change with this id, or, when it is empty, found
// to be declared.
func (t *Tracker) Settle(x Finding, change string) {
	f := t.features[x.Feature]
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if v := f.find(x); v != nil && v.State == stateFound {
		v.State, v.Change = stateKnown, change
		f.dirty = true
	}
}

// Progress returns how far the values that were entered have come.
func (t *Tracker) Progress() []Progress {
	var out []Progress
	for _, f := range t.features {
		out = append(out, f.progress()...)
	}
	slices.SortFunc(out, func(a, b Progress) int { return cmp.Compare(a.Change, b.Change) })
	return out
}

// Varying lists, by feature, the facets that are not tracked because they differ from sample to sample.
func (t *Tracker) Varying() map[string][]string {
	out := map[string][]string{}
	for name, f := range t.features {
		if v := f.varying(); len(v) > 0 {
			out[name] = v
		}
	}
	return out
}

// feature is what is known of one feature.
type feature struct {
	name    string
	tracker *Tracker

	mu     sync.Mutex
	dirty  bool // not saved since
	state  featureState
	fixed  [fixedFacets]*facet
	params map[string]*facet
}

// featureState is the part that is saved.
type featureState struct {
	Samples  uint64   `json:"samples"`
	Weight   float64  `json:"weight"`
	Newest   int64    `json:"newest"`   // time of the newest sample, in nanoseconds
	Idle     int64    `json:"idle"`     // pauses that do not count
	Reported uint64   `json:"reported"` // samples that came with parameters
	Facets   []*facet `json:"facets"`
}

func newFeature(name string, t *Tracker) *feature {
	f := &feature{name: name, tracker: t, params: map[string]*facet{}}
	for kind := range f.fixed {
		f.fixed[kind] = newFacet(fixedNames[kind], fixedLayers[kind])
		f.state.Facets = append(f.state.Facets, f.fixed[kind])
	}
	return f
}

// moment is one sample's place: its time, the same on the feature's own clock, and its weight.
type moment struct {
	at, own int64
	weight  float64
}

func (f *feature) observe(s *quality.Sample, at int64, weight float64, system uint64) (found bool) {
	if !f.advance(at) {
		return false
	}
	m := moment{at: at, own: at - f.state.Idle, weight: weight}
	f.state.Samples++
	f.state.Weight += weight
	f.dirty = true
	for kind, fc := range f.fixed {
		hash, ok := f.tracker.fixedHash(kind, s, system)
		if ok && !fc.varies(m.own) {
			fc.Seen++
			found = f.see(fc, hash, s, m) || found
		}
	}
	if len(s.Params) > 0 {
		found = f.observeParams(s, m) || found
	}
	return found
}

// advance moves the feature's clock, which stands still while there is no traffic: a feature that was off
// for the summer comes back with what it had. It refuses what is late.
func (f *feature) advance(at int64) bool {
	if f.state.Samples == 0 {
		f.state.Newest = at
		return true
	}
	gap := at - f.state.Newest
	if gap < -idle {
		return false
	}
	if gap > idle {
		f.state.Idle += gap
	}
	f.state.Newest = max(f.state.Newest, at)
	return true
}

// observeParams follows each parameter apart, so that one that differs from request to request hides no other.
func (f *feature) observeParams(s *quality.Sample, m moment) (found bool) {
	f.state.Reported++
	for name, raw := range s.Params {
		if passing(name) {
			continue
		}
		fc := f.params[facetOf(name)]
		if fc == nil {
			fc = f.addParam(facetOf(name), m)
		}
		if fc == nil || fc.varies(m.own) {
			continue
		}
		fc.sample = f.state.Samples
		fc.Seen++
		found = f.see(fc, f.tracker.hash(raw), s, m) || found
	}
	if s.Error != "" { // what failed early may report less
		return found
	}
	for _, fc := range f.params {
		if fc.sample != f.state.Samples && !fc.varies(m.own) {
			fc.Seen++
			found = f.see(fc, absentHash, s, m) || found
		}
	}
	return found
}

// addParam starts to follow a parameter. When samples came without it before, that was usual.
func (f *feature) addParam(name string, m moment) *facet {
	if len(f.params) >= maxFacets {
		f.tracker.dropped.Add(1)
		return nil
	}
	fc := newFacet(name, layerOf(name))
	fc.Seen = f.state.Reported - 1
	if fc.Seen > 0 {
		fc.add(absentHash, &value{Key: "", Text: absentText(name), State: stateKnown, First: m.at, Last: m.own,
			Epoch: f.state.Samples / window, Cur: 1})
	}
	f.params[name] = fc
	f.state.Facets = append(f.state.Facets, fc)
	return fc
}

func (f *feature) find(x Finding) *value {
	for _, fc := range f.state.Facets {
		if fc.Name == x.Facet && fc.Layer == x.Layer {
			return fc.byKey[x.key]
		}
	}
	return nil
}

func (f *feature) findings() (out []Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fc := range f.state.Facets {
		for _, v := range fc.Values {
			if v.State == stateFound {
				out = append(out, Finding{Feature: f.name, Layer: fc.Layer, Facet: fc.Name, Before: v.Before, After: v.Text,
					FirstSeen: time.Unix(0, v.First).UTC(), Share: f.share(v), Samples: v.Count, key: v.Key})
			}
		}
	}
	return out
}

func (f *feature) progress() (out []Progress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fc := range f.state.Facets {
		for _, v := range fc.Values {
			if v.State == stateKnown && v.Change != "" {
				out = append(out, Progress{Feature: f.name, Change: v.Change, Share: f.share(v), Samples: v.Count})
			}
		}
	}
	return out
}

// share is the part of a value in the feature's traffic since it was first seen.
func (f *feature) share(v *value) float64 {
	all := f.state.Weight - v.Base
	if all <= 0 {
		return 0
	}
	return min(v.Weight/all, 1)
}

func (f *feature) varying() (out []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := f.state.Newest - f.state.Idle
	for _, fc := range f.state.Facets {
		if fc.Varying != 0 && own-fc.Varying <= forget {
			out = append(out, fc.Name)
		}
	}
	return out
}
