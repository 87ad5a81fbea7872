package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// answer is what a server says to one request.
type answer struct {
	status int
	after  string // Retry-After
	body   string
	err    error // instead of an answer
}

// script answers one request after the other; the last answer goes on.
type script struct {
	answers []answer
	at      []time.Duration // of the requests
	began   time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	a := s.answers[min(len(s.at), len(s.answers)-1)]
	s.at = append(s.at, time.Since(s.began))
	if a.err != nil {
		return nil, a.err
	}
	res := &http.Response{StatusCode: a.status, Status: fmt.Sprint(a.status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}
	if a.after != "" {
		res.Header.Set("Retry-After", a.after)
	}
	return res, nil
}

func TestImportWaitsForTheServer(t *testing.T) {
	const fine = `{"accepted":2,"duplicates":0,"refused":0}`
	away := answer{err: errors.New("connection refused")}
	for name, tt := range map[string]struct {
		answers []answer
		worked  bool
		at      string // seconds of the requests; of the first ones where it gives up
		want    string // accepted and duplicates, or a part of the error
	}{
		"at once":             {[]answer{{status: 200, body: fine}}, false, "0", "2 0"},
		"asked to wait":       {[]answer{{status: 429, after: "7"}, {status: 503, after: "3"}, {status: 200, body: fine}}, false, "0 7 10", "2 0"},
		"asked for an hour":   {[]answer{{status: 503, after: "3600"}, {status: 200, body: fine}}, false, "0 60", "2 0"},
		"not asked":           {[]answer{{status: 507}, {status: 507}, {status: 507}, {status: 200, body: fine}}, false, "0 0.5 1.5 3.5", "2 0"},
		"nonsense":            {[]answer{{status: 503, after: "soon"}, {status: 200, body: fine}}, false, "0 0.5", "2 0"},
		"taken in part":       {[]answer{{status: 503, body: `{"accepted":1,"duplicates":0}`, after: "1"}, {status: 200, body: `{"accepted":0,"duplicates":2}`}}, false, "0 1", "1 1"},
		"away after a while":  {[]answer{away, away, {status: 200, body: fine}}, true, "0 0.5 1.5", "2 0"},
		"never there":         {[]answer{away}, false, "0", "connection refused"},
		"broken server":       {[]answer{{status: 500, body: "oops"}}, true, "0", "oops"},
		"a wrong address":     {[]answer{{status: 404}}, true, "0", "404"},
		"full for ever":       {[]answer{{status: 507, after: "60"}}, true, "0 60 120", "gave up after waiting for 10m0s"},
		"away for ever":       {[]answer{away}, true, "0 0.5 1.5 3.5 7.5 15.5 31.5 61.5", "gave up"},
		"refused rows":        {[]answer{{status: 400, body: `{"accepted":1,"duplicates":0,"refused":1}`}}, false, "0", "1 0"},
		"a refusal of it all": {[]answer{{status: 400, body: `{"error":{"message":"no"}}`}}, false, "0", "no"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &script{answers: tt.answers, began: time.Now()}
				s := &serverTaker{url: "http://server/v1/samples", client: &http.Client{Transport: server}, note: func(string) {}, worked: tt.worked}
				res, err := s.take(t.Context(), []quality.Sample{{ID: "a"}, {ID: "b"}})
				got := fmt.Sprint(res.Accepted, " ", res.Duplicates)
				if err != nil {
					got = err.Error()
				}
				var at []string
				for _, d := range server.at {
					at = append(at, fmt.Sprint(d.Seconds()))
				}
				if !strings.Contains(got, tt.want) || !strings.HasPrefix(strings.Join(at, " "), tt.at) || time.Since(server.began) > maxOutage {
					t.Errorf("got %q with requests at %v, want %q and %s", got, at, tt.want, tt.at)
				}
			})
		})
	}
}

func TestImportStopsWaitingWhenToldTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		server := &script{answers: []answer{{status: 503, after: "60"}}, began: time.Now()}
		s := &serverTaker{url: "http://server/v1/samples", client: &http.Client{Transport: server}, note: func(string) {}}
		_, err := s.take(ctx, []quality.Sample{{ID: "a"}})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(server.began) != 90*time.Second {
			t.Errorf("got %v after %v", err, time.Since(server.began))
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "5": 5 * time.Second, "-5": 0, "99999999999999999999": 0, "9999999999": maxAsked, "x": 0, "Mon, 02 Jan 2006 15:04:05 GMT": 0} {
		if got := retryAfter(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
