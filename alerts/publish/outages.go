package publish

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Outage is what events of probes need to know of an incident that probes made.
type Outage struct {
	ID   string
	Open bool // it goes on, and probes are down in it
	Over bool
	Seq  uint64    // the last event of a probe that changed it
	Last time.Time // the latest time in such an event
}

// outages knows every incident that probes made, some hundred bytes each: a probe that flaps would otherwise have
// every document read. It follows what this process reads and writes.
type outages struct {
	mu    sync.Mutex
	known bool // every document was read once
	of    map[string]noted
}

type noted struct {
	Outage
	features []string
	rev      uint64
}

// note takes a document as it was at a revision. What was read before it was written does not undo it.
func (o *outages) note(r *Record, rev uint64) {
	if len(r.Down) == 0 && r.Seq == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if old, ok := o.of[r.ID]; ok && old.rev >= rev {
		return
	}
	// Those that people reported have no probes that are down, and are ended by people.
	o.of[r.ID] = noted{Outage{r.ID, r.Open() && len(r.Down) > 0, !r.Open(), r.Seq, r.Last}, r.Features, rev}
}

// Outages returns the incidents that probes of a feature made, in any order. It reads the documents
// only where none were read yet.
func (d *Desk) Outages(ctx context.Context, feature string) ([]Outage, error) {
	d.outages.mu.Lock()
	known := d.outages.known
	d.outages.mu.Unlock()
	if !known {
		if _, err := d.incidents.all(ctx); err != nil {
			return nil, err
		}
	}
	return d.outages.list(feature), nil
}

func (o *outages) list(feature string) (out []Outage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known = true
	for _, n := range o.of {
		if slices.Contains(n.features, feature) {
			out = append(out, n.Outage)
		}
	}
	return out
}
