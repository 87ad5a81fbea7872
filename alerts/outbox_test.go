package alerts_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asgood-dev/asgood/internal/webhook"
)

const hour = time.Hour

// down answers with a status until a time of the bubble has passed.
func down(status int, d time.Duration) func(arrival) (int, http.Header) {
	until := time.Now().Add(d)
	return func(arrival) (int, http.Header) {
		if time.Now().Before(until) {
			return status, http.Header{}
		}
		return http.StatusOK, http.Header{}
	}
}

func TestEachReceiverGetsEachMessageOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(event(opened, regression("a", 0.3, nil)), event(recovered, regression("a", 0.3, nil)))
		for range 3 { // restarts
			w.run(t, hour, "a.b", "c")
		}
		var got []string
		ids := map[string]bool{}
		for _, a := range w.arrived {
			got = append(got, a.receiver+" "+a.message.Type)
			ids[a.id] = true
			// The signed text is id.time.body, so an id with a dot could be read in two ways.
			if !regexp.MustCompile(`^msg_[0-9a-f]{32}$`).MatchString(a.id) {
				t.Errorf("got id %q", a.id)
			}
		}
		slices.Sort(got)
		same(t, "arrived", got, []string{"a.b incident.opened", "a.b incident.resolved", "c incident.opened", "c incident.resolved"})
		if len(ids) != 4 {
			t.Errorf("got ids %v, want another for each", ids)
		}
	})
}

func TestAReceiverThatIsAwayForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The regression is over long before anyone can be told that it began.
		w := newWorld(event(opened, regression("a", 0.02, german)), event(changed, regression("a", 0.3, german)),
			event(recovered, regression("a", 0.3, german)))
		w.answer = down(http.StatusServiceUnavailable, 26*hour)
		back := time.Now().Add(26 * hour)
		for range 4 { // restarts do not begin anew
			w.run(t, 6*hour, "on-call")
		}
		if len(w.arrived) != 0 || w.count(t, "asgood_alerts_outbox_pending") != 3 {
			t.Fatalf("got %d messages, %v wait", len(w.arrived), w.count(t, "asgood_alerts_outbox_pending"))
		}
		w.run(t, 6*hour, "on-call")
		same(t, "told", w.told(), []string{"incident.opened investigating minor", "incident.updated investigating critical", "incident.resolved resolved critical"})
		if late := w.arrived[2].at.Sub(back); late > 75*time.Minute {
			t.Errorf("the last came %s after the receiver was back", late)
		}
		if n := len(w.tries); n > 60 {
			t.Errorf("got %d attempts in 26 hours, want pauses that grow to an hour", n)
		}
		for i := 1; i < len(w.tries); i++ {
			pause := w.tries[i].at.Sub(w.tries[i-1].at)
			if w.tries[i].id == w.tries[i-1].id && (pause < 1600*time.Millisecond || pause > 72*time.Minute) {
				t.Errorf("got a pause of %s", pause)
			}
		}
		if w.count(t, "asgood_alerts_failed_total") != 0 {
			t.Error("something was given up")
		}
	})
}

func TestAReceiverThatIsAwayForDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(event(opened, regression("a", 0.3, german)))
		w.answer = down(http.StatusBadGateway, 90*hour)
		w.run(t, 80*hour, "on-call")
		if n := w.count(t, "asgood_alerts_failed_total", "receiver", "on-call", "reason", "status"); n != 1 {
			t.Errorf("got %v given up after three days, want 1", n)
		}
		last := w.tries[len(w.tries)-1].at.Sub(w.tries[0].at)
		if last < 72*hour || last > 74*hour {
			t.Errorf("tried for %s, want three days", last)
		}
		w.tell(event(recovered, regression("a", 0.3, german)))
		w.run(t, 24*hour, "on-call")
		same(t, "told", w.told(), []string{"incident.resolved resolved critical"})
		w.run(t, 30*hour, "on-call")
		if len(w.outbox) != 0 {
			t.Errorf("got %d messages remembered a day after the last was done", len(w.outbox))
		}
	})
}

func TestOneAttemptIsMadeAfterALongStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(event(opened, regression("a", 0.3, german)))
		w.answer = down(http.StatusBadGateway, hour)
		w.run(t, time.Second, "on-call")
		<-time.After(100 * hour) // the machine was off
		w.run(t, time.Second, "on-call")
		same(t, "told", w.told(), []string{"incident.opened investigating critical"})
	})
}

func TestRetryAfter(t *testing.T) {
	for after, want := range map[string]time.Duration{"1200": 20 * time.Minute, "864000": hour, "": 0} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(event(opened, regression("a", 0.3, german)))
			w.answer = func(arrival) (int, http.Header) {
				if len(w.tries) == 1 {
					return http.StatusTooManyRequests, http.Header{"Retry-After": {after}}
				}
				return http.StatusOK, nil
			}
			w.run(t, 2*hour, "on-call")
			if len(w.tries) != 2 {
				t.Fatalf("got %d attempts", len(w.tries))
			}
			if got := w.tries[1].at.Sub(w.tries[0].at); got < want || got > want+5*time.Second {
				t.Errorf("%q: tried again after %s, want %s", after, got, want)
			}
		})
	}
}

func TestAReceiverThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(event(opened, regression("a", 0.3, nil)), event(opened, regression("b", 0.3, nil)), event(recovered, regression("a", 0.3, nil)))
		w.answer = func(a arrival) (int, http.Header) {
			if a.receiver == "gone" {
				return http.StatusGone, nil
			}
			return http.StatusOK, nil
		}
		w.run(t, hour, "gone", "here")
		asked := 0
		for _, a := range w.tries {
			if a.receiver == "gone" {
				asked++
			}
		}
		if asked != 1 || len(w.arrived) != 3 {
			t.Errorf("asked the receiver that is gone %d times, told the other %d messages", asked, len(w.arrived))
		}
		if n := w.count(t, "asgood_alerts_failed_total", "receiver", "gone", "reason", "gone"); n != 3 {
			t.Errorf("got %v given up, want 3", n)
		}
		if n := strings.Count(w.logs.String(), "410 Gone: it gets no more messages"); n != 1 {
			t.Errorf("told %d times", n)
		}
		w.answer = nil // the operator mended it, and starts the program again
		w.tell(event(recovered, regression("b", 0.3, nil)))
		w.run(t, hour, "gone", "here")
		if last := w.arrived[len(w.arrived)-1]; len(w.arrived) != 5 || last.message.incident("id") != "inc_b" {
			t.Errorf("got %d messages after the next start", len(w.arrived))
		}
	})
}

func TestAReceiverThatIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(event(opened, regression("a", 0.3, nil)))
		w.answer = down(500, hour)
		w.run(t, time.Minute, "old", "stays")
		w.run(t, 30*hour, "stays")
		if n := w.count(t, "asgood_alerts_failed_total", "receiver", "old", "reason", "removed"); n != 1 || len(w.arrived) != 1 {
			t.Errorf("got %v given up and %d delivered", n, len(w.arrived))
		}
	})
}

func TestOneThatHangsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(event(opened, regression("a", 0.3, nil)))
		stuck := make(chan struct{})
		w.answer = func(a arrival) (int, http.Header) {
			if a.receiver == "hangs" {
				w.mu.Unlock()
				<-stuck
				w.mu.Lock()
			}
			return http.StatusOK, nil
		}
		go func() { <-time.After(time.Minute); close(stuck) }()
		w.run(t, hour, "hangs", "works")
		for _, a := range w.arrived {
			if a.receiver == "works" && a.at.Sub(a.message.Timestamp) > time.Second {
				t.Errorf("came %s late", a.at.Sub(a.message.Timestamp))
			}
		}
		if len(w.arrived) != 2 {
			t.Errorf("got %d messages", len(w.arrived))
		}
	})
}

// TestNothingSecretIsToldOrStored fails in many ways and looks at all that is left behind.
func TestNothingSecretIsToldOrStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(everything()...)
		n := 0
		w.answer = func(arrival) (int, http.Header) {
			n++
			return []int{410, 500, 301, 404, 429}[n%5], http.Header{"Location": {hook}}
		}
		w.run(t, 2*hour, "on-call")
		left := w.logs.String()
		for _, m := range []map[string][]byte{w.incidents, w.outbox} {
			for k, v := range m {
				left += k + string(v)
			}
		}
		for _, s := range []string{secret, secret[6:], "passsecret", "pathsecret", "querysecret", "hooks.example"} {
			if strings.Contains(left, s) {
				t.Errorf("%q was told or stored", s)
			}
		}
		if !strings.Contains(left, "message not delivered") || !strings.Contains(left, "answered 500") {
			t.Errorf("the failures were not told: %s", w.logs.String())
		}
	})
}

func TestReasonsAreAClosedList(t *testing.T) {
	w := newWorld()
	synctest.Test(t, func(t *testing.T) { w.run(t, time.Second, "on-call") })
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range families {
		if f.GetName() == "asgood_alerts_failed_total" {
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					if l.GetName() == "reason" {
						got = append(got, l.GetValue())
					}
				}
			}
		}
	}
	want := append(webhook.Reasons(), "removed", "full", "unknown")
	slices.Sort(want)
	same(t, "reasons", got, want)
}

func TestTheOutboxIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: run without -short")
	}
	synctest.Test(t, func(t *testing.T) {
		const limit, more = 10_000, 50
		w := newWorld()
		for i := range limit + more {
			w.tell(event(opened, regression(fmt.Sprint(i), 0.3, nil)))
		}
		w.perBatch = 1000
		w.answer = func(arrival) (int, http.Header) { return 500, http.Header{"Retry-After": {"3600"}} }
		w.run(t, time.Second, "on-call")
		if got := w.count(t, "asgood_alerts_outbox_pending"); got != limit || len(w.outbox) != limit || len(w.incidents) != limit+more {
			t.Errorf("got %v that wait, %d stored, %d incidents", got, len(w.outbox), len(w.incidents))
		}
		if got := w.count(t, "asgood_alerts_failed_total", "reason", "full"); got != more {
			t.Errorf("got %v given up, want %d", got, more)
		}
	})
}
