package tracker

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Save returns the state of every feature that has changed since it was last returned.
func (t *Tracker) Save() (map[string][]byte, error) {
	out := map[string][]byte{}
	for name, f := range t.features {
		data, err := f.save()
		if err != nil {
			return nil, fmt.Errorf("encoding what is known of feature %q: %w", name, err)
		}
		if data != nil {
			out[name] = data
		}
	}
	return out, nil
}

func (f *feature) save() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.dirty {
		return nil, nil
	}
	f.dirty = false
	return json.Marshal(&f.state)
}

// Unsaved asks for a feature's state again, because storing it failed.
func (t *Tracker) Unsaved(name string) {
	if f := t.features[name]; f != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.dirty = true
	}
}

// Features returns the names of the features, sorted.
func (t *Tracker) Features() []string { return slices.Sorted(maps.Keys(t.features)) }

// Restore takes a feature's state back. It is called before the first sample.
func (t *Tracker) Restore(name string, data []byte) error {
	f := t.features[name]
	if f == nil {
		return quality.Errorf(quality.KindNotFound, "no feature %q is configured", name)
	}
	var s featureState
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("decoding what is known of feature %q: %w", name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restore(s)
	return nil
}

// restore takes no more than the bounds allow, and nothing twice.
func (f *feature) restore(s featureState) {
	facets := s.Facets
	s.Facets = nil
	f.state = s
	f.params = map[string]*facet{}
	for kind := range f.fixed {
		f.fixed[kind] = newFacet(fixedNames[kind], fixedLayers[kind])
		f.state.Facets = append(f.state.Facets, f.fixed[kind])
	}
	for _, saved := range facets {
		if saved == nil {
			continue
		}
		if fc := f.place(saved); fc != nil {
			fc.restore(saved)
		}
	}
}

// place returns the facet that a saved one becomes.
func (f *feature) place(saved *facet) *facet {
	for kind, fc := range f.fixed {
		if saved.Name == fixedNames[kind] && saved.Layer == fixedLayers[kind] {
			return fc
		}
	}
	if f.params[saved.Name] != nil || len(f.params) >= maxFacets {
		return nil
	}
	fc := newFacet(saved.Name, layerOf(saved.Name))
	f.params[saved.Name] = fc
	f.state.Facets = append(f.state.Facets, fc)
	return fc
}

func (fc *facet) restore(saved *facet) {
	fc.Seen, fc.Varying, fc.Days = saved.Seen, saved.Varying, saved.Days
	for _, v := range saved.Values {
		if v == nil || fc.byKey[v.Key] != nil || len(fc.Values) >= maxValues || v.State == stateUnknown || v.State > stateKnown {
			continue
		}
		fc.Values = append(fc.Values, v)
		fc.byKey[v.Key] = v
	}
}
