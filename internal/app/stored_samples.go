package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/asgood-dev/asgood/internal/clickhouse"
	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	storedPage  = 1000    // most stored samples that are read at a time
	storedBytes = 8 << 20 // of an answer: one sample more may stand in it
)

// storedSamples is the answer of GET /v1/stored-samples.
type storedSamples struct {
	Samples []json.RawMessage `json:"samples"`
	More    bool              `json:"more"` // it may not be all
}

// getSamples serves samples as they are stored: what is redacted was never stored.
func (a *App) getSamples(g *gin.Context) error {
	q, err := readStoredQuery(g, storedPage)
	if err != nil {
		return err
	}
	list, more, err := a.engines.store.SamplesPage(g.Request.Context(), g.Query("feature"), q.from, g.Query("after"), q.to, q.limit, storedBytes)
	if err != nil {
		return err
	}
	answer, err := packSamples(list, more)
	if err != nil {
		return err
	}
	g.JSON(http.StatusOK, answer)
	return nil
}

// packSamples takes as many samples as an answer holds.
func packSamples(list []quality.Sample, more bool) (storedSamples, error) {
	out, size := storedSamples{Samples: []json.RawMessage{}, More: more}, 0
	for i := range list {
		data, err := json.Marshal(&list[i])
		if err != nil {
			return out, fmt.Errorf("encoding sample %q: %w", list[i].ID, err)
		}
		if size += len(data); size > storedBytes && i > 0 {
			out.More = true
			break
		}
		out.Samples = append(out.Samples, data)
	}
	return out, nil
}

// sampleReader reads stored samples in the order of time and id, of those at from only the ones behind an id,
// and whether there may be more.
type sampleReader func(ctx context.Context, feature string, from time.Time, after string, to time.Time) ([]quality.Sample, bool, error)

// samplesOf reads the stored samples of a running server.
func samplesOf(addr string) sampleReader {
	return func(ctx context.Context, feature string, from time.Time, after string, to time.Time) ([]quality.Sample, bool, error) {
		q := storedQuery{from, to, storedPage}.values(feature)
		q.Set("after", after)
		var answer struct {
			Samples []quality.Sample `json:"samples"`
			More    bool             `json:"more"`
		}
		err := ask(ctx, http.MethodGet, addr+"/v1/stored-samples?"+q.Encode(), "", nil, &answer)
		return answer.Samples, answer.More, err
	}
}

// samplesIn reads the samples of a store.
func samplesIn(store *clickhouse.Store) sampleReader {
	return func(ctx context.Context, feature string, from time.Time, after string, to time.Time) ([]quality.Sample, bool, error) {
		return store.SamplesPage(ctx, feature, from, after, to, storedPage, storedBytes)
	}
}

// withSamples gives fn a reader of the running server, or of the data directory when none runs.
func (o ScoreOptions) withSamples(ctx context.Context, fn func(sampleReader)) (err error) {
	if addr, ok := running(ctx, o.Server, o.Config.Listen.Internal); ok {
		fn(samplesOf(addr))
		return nil
	}
	store, err := openStore(ctx, o.Config, o.Logger, prometheus.NewRegistry())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	fn(samplesIn(store))
	return nil
}

// fromStore reads the stored samples of a period.
func (o ScoreOptions) fromStore(ctx context.Context, feature string, _ *ScoreResult) iter.Seq2[quality.Sample, error] {
	return func(yield func(quality.Sample, error) bool) {
		stopped := false
		err := o.withSamples(ctx, func(read sampleReader) {
			for s, err := range samplePages(ctx, read, feature, o.From, o.To) {
				if stopped = !yield(s, err) || err != nil; stopped {
					return
				}
			}
		})
		if err != nil && !stopped {
			yield(quality.Sample{}, err)
		}
	}
}

// samplePages goes through the samples of a period a page at a time, the oldest first. A sample that stands
// there twice comes once.
func samplePages(ctx context.Context, read sampleReader, feature string, from, to time.Time) iter.Seq2[quality.Sample, error] {
	return func(yield func(quality.Sample, error) bool) {
		for after, more := "", true; more; {
			var list []quality.Sample
			var err error
			if list, more, err = read(ctx, feature, from, after, to); err != nil {
				yield(quality.Sample{}, fmt.Errorf("reading the samples of feature %q: %w", feature, err))
				return
			}
			more = more && len(list) > 0
			for _, s := range list {
				if s.ID == after && s.Time.Equal(from) {
					continue
				}
				if from, after = s.Time, s.ID; !yield(s, nil) {
					return
				}
			}
		}
	}
}
