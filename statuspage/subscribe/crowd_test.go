package subscribe

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// partly is a transport behind which some hosts never answer.
type partly struct {
	mu   sync.Mutex
	fast int
}

func (p *partly) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Host, "slow") {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fast++
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}, Request: r}, nil
}

func (p *partly) reached() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fast
}

// TestSlowReceiversHoldUpNobody: many webhooks of one domain that never answer hold up nobody at all, and those of
// many domains only once, until it is known of them.
func TestSlowReceiversHoldUpNobody(t *testing.T) {
	for _, tt := range []struct{ name, slow string }{{"one domain", "https://h%d.slow.example/x"}, {"many domains", "https://slow%d.example/x"}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { slowReceivers(t, tt.slow, tt.name == "one domain") })
		})
	}
}

func slowReceivers(t *testing.T, slow string, atOnce bool) {
	const n = 100
	p := &partly{}
	w := newWorld(t, func(o *Options) { o.Transport = p })
	for i := range n {
		w.active(KindWebhook, fmt.Sprintf(slow, i), nil)
		w.active(KindWebhook, fmt.Sprintf("https://fine%d.example/x", i), nil)
	}
	stop := w.run()
	defer stop()
	if err := w.s.take(t.Context(), published("n1")); err != nil {
		t.Fatal(err)
	}
	until(time.Second)
	if got := p.reached(); atOnce && got != n {
		t.Errorf("the first notice reached %d after a second, want %d", got, n)
	}
	until(10 * time.Minute)
	if got := p.reached(); got != n {
		t.Errorf("the first notice reached %d, want %d", got, n)
	}
	if err := w.s.take(t.Context(), published("n2")); err != nil {
		t.Fatal(err)
	}
	until(time.Second)
	if got := p.reached(); got != 2*n {
		t.Errorf("the second notice reached %d after a second, want %d", got-n, n)
	}
}

// TestAnEmptyChallengeIsRefused: what every server answers confirms nothing.
func TestAnEmptyChallengeIsRefused(t *testing.T) {
	for body, want := range map[string]bool{
		"": false, "ok": false, `{}`: false, `{"challenge":""}`: false, `{"challenge":null}`: false, `{"challenge":"other"}`: false, "null": false,
		"tok": true, " tok\n": true, `{"challenge":"tok"}`: true, `"tok"`: false, "toktok": false,
	} {
		if got := answers([]byte(body), "tok"); got != want {
			t.Errorf("%q: got %t, want %t", body, got, want)
		}
	}
	for _, body := range []string{"", "{}", `{"challenge":""}`} {
		if answers([]byte(body), "") {
			t.Errorf("no challenge was sent, and %q answers it", body)
		}
	}
}

// TestNoTimeTellsWhoIsSubscribed compares how long requests for subscribed and for other addresses take, in turn.
func TestNoTimeTellsWhoIsSubscribed(t *testing.T) {
	const n = 150
	w := newWorld(t, nil)
	for i := range n {
		w.active(KindEmail, fmt.Sprintf("known%d@example.com", i), nil)
	}
	took := map[string][]time.Duration{}
	for i := range n {
		for _, who := range []string{"known", "other"} {
			w.from = fmt.Sprintf("9.%d.%d.%d:1", len(who)+int(who[0]), i/250, i%250)
			begun := time.Now()
			if got := w.do("POST", "/subscribe", wish(KindEmail, fmt.Sprintf("%s%d@example.com", who, i))); got.Code != 200 {
				t.Fatal(errors.New(got.Body.String()))
			}
			took[who] = append(took[who], time.Since(begun))
		}
	}
	median := func(d []time.Duration) float64 { slices.Sort(d); return float64(d[len(d)/2]) }
	if ratio := median(took["known"]) / median(took["other"]); ratio < 0.5 || ratio > 2 {
		t.Errorf("a subscribed address takes %.2f of the time of another", ratio)
	} else {
		t.Logf("a subscribed address takes %.2f of the time of another", ratio)
	}
}
