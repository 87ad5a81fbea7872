package collector_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector"
)

// disk is a hand-off that takes as long as a slow disk: so long for a message and so long for its bytes.
type disk struct {
	sink
	message time.Duration
	perMiB  time.Duration
}

func (d *disk) Publish(ctx context.Context, id string, data []byte) (uint64, error) {
	timer := time.NewTimer(d.message + time.Duration(int64(d.perMiB)*int64(len(data))>>20))
	defer timer.Stop()
	select {
	case <-timer.C:
		return d.sink.Publish(ctx, id, data)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// tally counts answers and how long those that were good took.
type tally struct {
	mu    sync.Mutex
	codes map[int]int
	took  []time.Duration
}

func (t *tally) send(client *http.Client, url string, body []byte) {
	began := time.Now()
	code, after := 0, ""
	res, err := client.Post(url, ndjson, bytes.NewReader(body))
	if err == nil {
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		code, after = res.StatusCode, res.Header.Get("Retry-After")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if code == http.StatusTooManyRequests && after == "" {
		code = -1
	}
	t.codes[code]++
	if code == http.StatusOK {
		t.took = append(t.took, time.Since(began))
	}
}

func (t *tally) share(code int) float64 {
	n := 0
	for _, k := range t.codes {
		n += k
	}
	return float64(t.codes[code]) / float64(max(n, 1))
}

func (t *tally) p99() time.Duration {
	slices.Sort(t.took)
	return t.took[len(t.took)*99/100]
}

// others lets nine customers send a request each 10 ms, whether those before are answered or not.
func others(client *http.Client, url string, long time.Duration) *tally {
	t := &tally{codes: map[int]int{}}
	var wg sync.WaitGroup
	for c := range 9 {
		wg.Go(func() {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			body := fmt.Appendf(nil, `{"feature":"chat","customer":"customer-%d","output":%q}`, c, strings.Repeat("x", 1000))
			for range long / (10 * time.Millisecond) {
				<-tick.C
				wg.Go(func() { t.send(client, url, body) })
			}
		})
	}
	wg.Wait()
	return t
}

// flood sends on 50 connections as fast as they are answered, until stop is closed.
func flood(client *http.Client, url string, stop <-chan struct{}) (*tally, *sync.WaitGroup) {
	t := &tally{codes: map[int]int{}}
	line := fmt.Sprintf(`{"feature":"chat","customer":"flood","output":%q}`+"\n", strings.Repeat("x", 100_000))
	body := []byte(strings.Repeat(line, 9))
	wg := &sync.WaitGroup{}
	for range 50 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					t.send(client, url, body)
				}
			}
		})
	}
	return t, wg
}

// One customer floods; the others hardly notice.
func TestFloodStarvesNobody(t *testing.T) {
	r := start(t, collector.Options{
		Handoff: &disk{sink: sink{quick: true}, message: 20 * time.Millisecond, perMiB: 20 * time.Millisecond}, QueueBytes: 24 << 20})
	s := httptest.NewServer(r.engine)
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 500}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	url, long := s.URL+"/v1/samples", 2*time.Second
	if testing.Short() {
		long = 500 * time.Millisecond
	}

	others(client, url, 200*time.Millisecond) // connections are made
	quiet := others(client, url, long)
	stop := make(chan struct{})
	flooded, wg := flood(client, url, stop)
	for collector.Queued(r.Collector) < 10 {
		if !waitABit(t.Context()) {
			t.Fatal("the flood did not come")
		}
	}
	loud := others(client, url, long)
	close(stop)
	wg.Wait()

	ratio := float64(loud.p99()) / float64(quiet.p99())
	t.Logf("others: without the flood %v, p99 %s; with it %v, p99 %s, ratio %.1f; the flood %v",
		quiet.codes, quiet.p99(), loud.codes, loud.p99(), ratio, flooded.codes)
	if loud.share(http.StatusOK) < 0.99 {
		t.Errorf("got %.1f %% of the others' requests through, want 99 %%: %v", 100*loud.share(http.StatusOK), loud.codes)
	}
	if ratio > 10 {
		t.Errorf("the flood makes p99 %.1f times as long, at most 10", ratio)
	}
	if flooded.codes[http.StatusTooManyRequests] == 0 {
		t.Errorf("nothing of the flood was refused: %v", flooded.codes)
	}
	for code := range flooded.codes {
		if code != http.StatusOK && code != http.StatusTooManyRequests && code != http.StatusServiceUnavailable {
			t.Errorf("the flood got status %d", code)
		}
	}
}
