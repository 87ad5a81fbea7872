package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of waiting for a server that cannot take samples now.
const (
	firstPause = 500 * time.Millisecond // doubled each time when the server names none
	maxPause   = 30 * time.Second
	maxAsked   = time.Minute      // most of what the server may ask for
	maxOutage  = 10 * time.Minute // of waiting for one batch
)

// serverTaker posts to a running server.
type serverTaker struct {
	url    string
	key    string // sent when it is not empty
	client *http.Client
	note   func(string)
	worked bool // something was taken: the server is the right one
}

func newServerTaker(addr, key string, note func(string)) *serverTaker {
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	return &serverTaker{url: strings.TrimSuffix(addr, "/") + "/v1/samples", key: key, client: &http.Client{Timeout: time.Minute}, note: note}
}

func (s *serverTaker) close() error {
	s.client.CloseIdleConnections()
	return nil
}

// tryLater is an answer, or none, behind which the same samples may be sent again.
type tryLater struct {
	err   error
	after time.Duration // that the server asked for; 0 when it did not
	taken int           // samples that were taken all the same
}

func (t *tryLater) Error() string { return t.err.Error() }
func (t *tryLater) Unwrap() error { return t.err }

// take sends samples until they are taken or maxOutage is over. All have ids, so sending again is harmless.
func (s *serverTaker) take(ctx context.Context, samples []quality.Sample) (collector.Result, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	for i := range samples {
		if err := enc.Encode(&samples[i]); err != nil {
			return collector.Result{}, fmt.Errorf("encoding a sample: %w", err)
		}
	}
	return s.send(ctx, body.Bytes())
}

// send posts records until they are taken or maxOutage is over.
func (s *serverTaker) send(ctx context.Context, body []byte) (collector.Result, error) {
	var waited time.Duration
	taken := 0
	for attempt := 0; ; attempt++ {
		res, err := s.post(ctx, body)
		var later *tryLater
		switch {
		case err == nil:
			s.worked = true
			moved := min(taken, res.Duplicates) // taken by us, before
			res.Accepted, res.Duplicates = res.Accepted+moved, res.Duplicates-moved
			return res, nil
		case !errors.As(err, &later):
			return res, err
		}
		taken += later.taken
		pause := pauseBefore(attempt, later.after)
		if waited += pause; waited > maxOutage {
			return res, fmt.Errorf("gave up after waiting for %v: %w", (waited - pause).Round(time.Second), err)
		}
		if attempt == 0 {
			s.note(fmt.Sprintf("waiting for the server: %v", err))
		}
		if err := sleep(ctx, pause); err != nil {
			return res, err
		}
	}
}

// pauseBefore is how long to wait before trying again.
func pauseBefore(attempt int, asked time.Duration) time.Duration {
	if asked > 0 {
		return min(asked, maxAsked)
	}
	return min(firstPause<<min(attempt, 10), maxPause)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *serverTaker) post(ctx context.Context, body []byte) (collector.Result, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return collector.Result{}, quality.Errorf(quality.KindInvalid, "server address: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	if s.key != "" {
		req.Header.Set("Authorization", "Bearer "+s.key)
	}
	req.Header.Set("Asgood-Sampling", "off") // the file is what somebody chose already
	res, err := s.client.Do(req)
	if err != nil {
		err = fmt.Errorf("sending samples: %w", err)
		if s.worked && ctx.Err() == nil {
			return collector.Result{}, &tryLater{err: err}
		}
		return collector.Result{}, err
	}
	defer res.Body.Close()
	return readReply(res)
}

// readReply takes 200, and the refusal of single rows, as answers; anything else is an error.
func readReply(res *http.Response) (collector.Result, error) {
	data, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return collector.Result{}, &tryLater{err: fmt.Errorf("reading the answer of the server: %w", err)}
	}
	var reply collector.Result
	decoded := json.Unmarshal(data, &reply)
	refusal := res.StatusCode == http.StatusBadRequest || res.StatusCode == http.StatusRequestEntityTooLarge
	if decoded == nil && (res.StatusCode == http.StatusOK || refusal && reply.Refused > 0) {
		return reply, nil
	}
	err = fmt.Errorf("the server answered %s: %.300s", res.Status, data)
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusInsufficientStorage:
		return collector.Result{}, &tryLater{err: err, after: retryAfter(res.Header.Get("Retry-After")), taken: max(reply.Accepted, 0)}
	}
	return collector.Result{}, err
}

// retryAfter reads seconds, or a date; 0 for what is neither.
func retryAfter(text string) time.Duration {
	if n, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(n, 0), int(maxAsked/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
