package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

// mirror keeps the documents of a bucket in memory, as they change: readers ask often, and what they
// ask is small.
type mirror[T any] struct {
	bucket  *bus.Bucket
	name    string
	changed func()

	mu   sync.Mutex
	docs map[string]T
	bad  error // a document that is not readable
}

func newMirror[T any](ctx context.Context, b *bus.Bus, name string, changed func()) (*mirror[T], error) {
	bucket, err := b.Bucket(ctx, name)
	if err != nil {
		return nil, err
	}
	m := &mirror[T]{bucket: bucket, name: name, changed: changed, docs: map[string]T{}}
	keys, err := bucket.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing bucket %q: %w", name, err)
	}
	for _, key := range keys {
		data, _, err := bucket.Get(ctx, key)
		if err != nil && quality.KindOf(err) != quality.KindNotFound {
			return nil, fmt.Errorf("reading %q of bucket %q: %w", key, name, err)
		}
		m.put(key, data, err != nil)
	}
	return m, nil
}

func (m *mirror[T]) put(key string, data []byte, deleted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if deleted {
		delete(m.docs, key)
		return
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		m.bad = fmt.Errorf("reading %q of bucket %q: %w", key, m.name, err)
		return
	}
	m.docs[key] = v
}

// run follows the bucket until ctx ends.
func (m *mirror[T]) run(ctx context.Context) error {
	for {
		err := m.bucket.Watch(ctx, func(key string, data []byte, _ uint64, deleted bool) {
			m.put(key, data, deleted)
			m.changed()
		})
		if ctx.Err() != nil {
			return nil
		}
		m.note(err)
		timer := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

func (m *mirror[T]) note(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bad = err
}

// all returns the documents in the order of their keys.
func (m *mirror[T]) all(context.Context) ([]T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]T, 0, len(m.docs))
	for _, key := range slices.Sorted(maps.Keys(m.docs)) {
		out = append(out, m.docs[key])
	}
	return out, m.bad
}

// pageReader is all that the status page reads.
type pageReader struct {
	*clickhouse.Store
	statuses    *mirror[quality.MonitorStatus]
	regressions *mirror[quality.Regression]
	probes      *mirror[quality.ProbeStatus]
	incidents   *mirror[quality.Incident]

	maintenances *mirror[quality.Maintenance]
	changes      *mirror[quality.Change]
}

func newPageReader(ctx context.Context, e *engines, changed func()) (r *pageReader, err error) {
	r = &pageReader{Store: e.store}
	if r.statuses, err = newMirror[quality.MonitorStatus](ctx, e.bus, bucketStatuses, changed); err != nil {
		return nil, err
	}
	if r.regressions, err = newMirror[quality.Regression](ctx, e.bus, bucketRegressions, changed); err != nil {
		return nil, err
	}
	if r.probes, err = newMirror[quality.ProbeStatus](ctx, e.bus, bucketProbes, changed); err != nil {
		return nil, err
	}
	if r.incidents, err = newMirror[quality.Incident](ctx, e.bus, bucketIncidents, changed); err != nil {
		return nil, err
	}
	if r.maintenances, err = newMirror[quality.Maintenance](ctx, e.bus, bucketMaintenances, changed); err != nil {
		return nil, err
	}
	r.changes, err = newMirror[quality.Change](ctx, e.bus, bucketChanges, changed)
	return r, err
}

func (r *pageReader) mirrors() []runner {
	return []runner{
		{r.statuses.name, r.statuses.run}, {r.regressions.name, r.regressions.run},
		{r.probes.name, r.probes.run}, {r.incidents.name, r.incidents.run}, {r.maintenances.name, r.maintenances.run},
		{r.changes.name, r.changes.run},
	}
}

// Statuses returns what every monitor can tell.
func (r *pageReader) Statuses(ctx context.Context) ([]quality.MonitorStatus, error) {
	return r.statuses.all(ctx)
}

// Regressions returns all known regressions.
func (r *pageReader) Regressions(ctx context.Context) ([]quality.Regression, error) {
	return r.regressions.all(ctx)
}

// Probes returns the states of all probes.
func (r *pageReader) Probes(ctx context.Context) ([]quality.ProbeStatus, error) {
	return r.probes.all(ctx)
}

// Incidents returns all incidents.
func (r *pageReader) Incidents(ctx context.Context) ([]quality.Incident, error) {
	return r.incidents.all(ctx)
}

// Maintenances returns all maintenances.
func (r *pageReader) Maintenances(ctx context.Context) ([]quality.Maintenance, error) {
	return r.maintenances.all(ctx)
}

// Changes returns the changes of the ledger. They only mark charts: one that is not readable does not make the page stale.
func (r *pageReader) Changes(ctx context.Context) ([]quality.Change, error) {
	all, _ := r.changes.all(ctx)
	return all, nil
}
