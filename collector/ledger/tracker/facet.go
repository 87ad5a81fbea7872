package tracker

import (
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

type state uint8

// The states of a value.
const (
	stateUnknown   state = iota
	stateCandidate       // new, and not yet often enough
	stateFound           // a finding that is not settled
	stateKnown           // usual, or dealt with
)

// value is one value of a facet.
type value struct {
	Key    string  `json:"key"` // what makes it the same value; empty for none
	Text   string  `json:"text"`
	State  state   `json:"state"`
	First  int64   `json:"first"`            // time of the first sample
	Last   int64   `json:"last"`             // of the last, on the feature's own clock
	Start  uint64  `json:"start"`            // number of the first sample among the feature's
	Base   float64 `json:"base"`             // weight of the feature's samples before the first
	Count  uint64  `json:"count"`            // samples since the first
	Weight float64 `json:"weight"`           // of them
	Epoch  uint64  `json:"epoch"`            // window of samples that Cur counts
	Cur    uint32  `json:"cur"`              // in that window
	Prev   uint32  `json:"prev"`             // in the one before
	Before string  `json:"before,omitempty"` // what was usual when it was found
	Change string  `json:"change,omitempty"` // id of the entry made for it

	gone bool // no longer of the facet; the fast index may still know it
}

// usual is how often the value came lately.
func (v *value) usual(epoch uint64) uint32 {
	switch epoch {
	case v.Epoch:
		return v.Cur + v.Prev
	case v.Epoch + 1:
		return v.Cur
	default:
		return 0
	}
}

func (v *value) count(epoch uint64, m moment) {
	switch epoch {
	case v.Epoch:
	case v.Epoch + 1:
		v.Prev, v.Cur = v.Cur, 0
	default:
		v.Prev, v.Cur = 0, 0
	}
	v.Epoch = epoch
	v.Cur++
	v.Count++
	v.Weight += m.weight
	v.Last = max(v.Last, m.own)
	if v.State == stateCandidate {
		v.First = min(v.First, m.at) // samples come somewhat out of order
	}
}

// facet is one thing that samples tell of how they were made.
type facet struct {
	Name    string        `json:"name"`
	Layer   quality.Layer `json:"layer"`
	Seen    uint64        `json:"seen"`              // samples that told it
	Varying int64         `json:"varying,omitempty"` // since when it is not tracked, on the feature's own clock
	Days    []int64       `json:"days,omitempty"`    // when the findings of the last day were made
	Values  []*value      `json:"values"`

	byKey  map[string]*value
	fast   map[uint64]*value // by the hash of the raw value, of this process
	sample uint64            // the last sample that carried it
}

func newFacet(name string, layer quality.Layer) *facet {
	return &facet{Name: name, Layer: layer, byKey: map[string]*value{}, fast: map[uint64]*value{}}
}

// varies reports whether the facet is given up for now. After a time it is learnt afresh.
func (fc *facet) varies(own int64) bool {
	if fc.Varying == 0 {
		return false
	}
	if own-fc.Varying > forget {
		fc.reset(0)
		return false
	}
	return true
}

// reset forgets all values.
func (fc *facet) reset(varying int64) {
	fc.Varying, fc.Seen, fc.Days, fc.Values = varying, 0, nil, nil
	clear(fc.byKey)
	clear(fc.fast)
}

func (fc *facet) add(hash uint64, v *value) {
	fc.Values = append(fc.Values, v)
	fc.byKey[v.Key] = v
	fc.fast[hash] = v
}

func (fc *facet) remove(v *value) {
	v.gone = true
	delete(fc.byKey, v.Key)
	fc.Values = slices.DeleteFunc(fc.Values, func(x *value) bool { return x == v })
}

// see notes one value of a sample. It reports whether that made a finding.
func (f *feature) see(fc *facet, hash uint64, s *quality.Sample, m moment) bool {
	v := fc.fast[hash]
	if v == nil || v.gone {
		if v = f.recognise(fc, hash, s, m); v == nil {
			return false
		}
	}
	if v.State == stateKnown && m.own-v.Last > forget {
		f.restart(v, m)
	}
	if v.State == stateCandidate && f.state.Samples-v.Start >= within {
		f.restart(v, m) // the ones before were odd requests
	}
	v.count(f.state.Samples/window, m)
	if fc.Seen == initial && len(fc.Values) > maxInitial {
		fc.reset(m.own)
		return false
	}
	return v.State == stateCandidate && v.Count >= least && f.mature(fc, v, m)
}

// restart makes a value one that is new with this sample.
func (f *feature) restart(v *value, m moment) {
	v.State, v.First, v.Start, v.Base = stateCandidate, m.at, f.state.Samples, f.state.Weight-m.weight
	v.Count, v.Weight, v.Before, v.Change = 0, 0, "", ""
}

// recognise finds the value of a sample by what it is, or begins to follow it. It returns nil when there
// is no room.
func (f *feature) recognise(fc *facet, hash uint64, s *quality.Sample, m moment) *value {
	if len(fc.fast) >= maxFast {
		clear(fc.fast)
	}
	key, text := identify(fc, hash, s)
	if v := fc.byKey[key]; v != nil {
		fc.fast[hash] = v
		return v
	}
	if len(fc.Values) >= maxValues && !f.makeRoom(fc, m) {
		return nil
	}
	v := &value{Key: key, Text: text, Epoch: f.state.Samples / window, Last: m.own}
	f.restart(v, m)
	if fc.Seen <= initial {
		v.State = stateKnown
	}
	fc.add(hash, v)
	return v
}

// makeRoom drops a value that is not known, the rarest first, or else one that would be new again anyway.
// A facet that is full of known ones varies by nature.
func (f *feature) makeRoom(fc *facet, m moment) bool {
	var worst *value
	for _, v := range fc.Values {
		switch {
		case v.State == stateKnown && m.own-v.Last > forget:
			fc.remove(v)
			return true
		case v.State == stateCandidate && (worst == nil || v.Count < worst.Count || v.Count == worst.Count && v.Last < worst.Last):
			worst = v
		}
	}
	f.tracker.dropped.Add(1)
	if worst == nil {
		fc.reset(m.own)
		return false
	}
	fc.remove(worst)
	return true
}

// mature makes a finding of a candidate, unless there are so many that the facet varies by nature.
func (f *feature) mature(fc *facet, v *value, m moment) bool {
	fc.Days = slices.DeleteFunc(fc.Days, func(t int64) bool { return m.own-t > idle })
	if len(fc.Days) >= maxPerDay {
		fc.reset(m.own)
		return false
	}
	fc.Days = append(fc.Days, m.own)
	v.State, v.Before = stateFound, fc.usualBut(v, f.state.Samples/window)
	return true
}

// usualBut is the value that came most often lately, this one left out.
func (fc *facet) usualBut(but *value, epoch uint64) string {
	var best *value
	for _, v := range fc.Values {
		if v == but || v.State == stateCandidate {
			continue
		}
		if best == nil || v.usual(epoch) > best.usual(epoch) || v.usual(epoch) == best.usual(epoch) && v.Last > best.Last {
			best = v
		}
	}
	if best == nil {
		return ""
	}
	return best.Text
}
