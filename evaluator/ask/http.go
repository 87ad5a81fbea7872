package ask

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/asgood-dev/asgood/evaluator/remote"
	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// httpScorer posts samples to an endpoint.
type httpScorer struct {
	spec   quality.ScorerSpec
	client *http.Client
	spent  func(quality.Spend)
	*reader
}

// NewHTTP returns a scorer that posts each sample as JSON to a URL and reads scores of the answer.
func NewHTTP(spec quality.ScorerSpec, spent func(quality.Spend)) Scorer {
	h := &httpScorer{spec: spec, spent: spent, client: remote.NewClient(spec.Concurrency)}
	h.reader = newReader(&h.spec, hashOf(spec.Type, spec.Endpoint()))
	return h
}

// Score implements Scorer.
func (h *httpScorer) Score(ctx context.Context, s quality.Sample) ([]quality.Score, error) {
	body, err := wire.Marshal(&s)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "encoding the sample: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, h.spec.Timeout)
	defer cancel()
	h.spent(h.spec.Price.Of(0, 0))
	data, err := h.post(ctx, body)
	if err != nil {
		return nil, remote.Fault(err, h.spec.Timeout)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, quality.Errorf(quality.KindInvalid, "the answer is empty")
	}
	return h.read(&s, data)
}

func (h *httpScorer) post(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.spec.URL, bytes.NewReader(body))
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "the request cannot be made")
	}
	req.Header.Set("User-Agent", "asgood")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	for name, value := range h.spec.Headers {
		req.Header.Set(name, value)
	}
	res, err := h.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, remote.StatusFault(res.StatusCode, res.Header, time.Now())
	}
	return io.ReadAll(res.Body)
}

// Version implements Scorer.
func (h *httpScorer) Version() string { return h.version }

// Calls implements Scorer.
func (h *httpScorer) Calls() int { return 1 }

// Close implements Scorer.
func (h *httpScorer) Close() error {
	h.client.CloseIdleConnections()
	return nil
}
