package statuspage_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage"
)

// customerWorld is a page with customers: links are named by their customer.
type customerWorld struct {
	*world
	days    map[string][]quality.ScoreDay // by name
	daysErr error
	streams []quality.StreamStatus // of the monitor of support
	asked   [][]string             // names whose days were asked for
}

func stream(customer string, n uint64, change, low, high float64) quality.StreamStatus {
	s := quality.StreamStatus{Scores: n, Ready: true, Baseline: quality.Estimate{N: 200, Mean: ptr(0.9)}, Current: quality.Estimate{N: n, Mean: ptr(0.9 + change)}, Change: &change, Interval: &[2]float64{low, high}}
	if customer != "" {
		s.Slice = quality.Slice{"customer": customer}
	}
	return s
}

func (w *customerWorld) options(t testing.TB) statuspage.Options {
	o := w.world.options(t, w.reader(), func() time.Time { return now })
	o.Private = &statuspage.Private{
		Least: 200, Customers: []quality.Customer{{Name: "acme", Title: "Acme Corp", Aliases: []string{"acme-eu"}}, {Name: "zenith", Title: "Zenith Ltd"}},
		Check: func(_ context.Context, token string) (string, error) {
			switch token {
			case "expired":
				return "", fmt.Errorf("%w: acme on 2 January", statuspage.ErrLinkExpired)
			case "revoked":
				return "", fmt.Errorf("%w: acme", statuspage.ErrLinkRevoked)
			case "away":
				return "", errors.New("the log of acme cannot be written")
			}
			if name, ok := strings.CutPrefix(token, "link-"); ok {
				return name, nil
			}
			return "", quality.Errorf(quality.KindNotFound, "no link")
		},
		Days: func(_ context.Context, names []string, _ *time.Location, _, _ time.Time) ([]quality.ScoreDay, error) {
			w.asked = append(w.asked, names)
			var out []quality.ScoreDay
			for _, n := range names {
				out = append(out, w.days[n]...)
			}
			return out, w.daysErr
		},
		Streams: func(feature, metric string) []quality.StreamStatus {
			if feature == "support" && metric == "correct" {
				return w.streams
			}
			return nil
		},
	}
	return o
}

// customers is a page during a regression that is confirmed for everyone and in the answers of acme.
func customers(t testing.TB) *customerWorld {
	w := &customerWorld{world: worse(t, quality.SeverityMajor, -0.07), days: map[string][]quality.ScoreDay{}}
	r := &w.regressions[0]
	since := now.Add(-44 * time.Hour)
	r.Slices = []quality.RegressionSlice{
		{Slice: quality.Slice{"customer": "acme"}, Baseline: quality.Estimate{N: 200, Mean: ptr(0.9)}, Current: quality.Estimate{N: 310}, Change: ptr(-0.09), Interval: &[2]float64{-0.12, -0.06}, StartedAt: &since, DetectedAt: since.Add(time.Hour)},
	}
	w.incidents[0].Regression = r
	w.days["acme"] = w.scores
	w.streams = []quality.StreamStatus{
		stream("", 9000, -0.07, -0.08, -0.06), stream("acme", 400, -0.04, -0.06, -0.02), stream("zenith", 800, 0.001, -0.01, 0.02), stream("tiny", 57, -0.2, -0.4, 0.1), stream("middling", 300, -0.03, -0.08, 0.02),
	}
	return w
}

func (w *customerWorld) fixture(t testing.TB) fixture {
	f := newFixture(t, w.options(t))
	f.refresh(t)
	return f
}

// text is a page without its marks, its white space in one.
func text(page string) string {
	var b strings.Builder
	in := false
	for _, r := range page {
		switch {
		case r == '<':
			in = true
		case r == '>':
			in = false
			b.WriteByte(' ')
		case !in:
			b.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(b.String(), "\u00a0", " ")), " ")
}

func TestCustomerIsToldWhereTheyStand(t *testing.T) {
	for _, tt := range []struct {
		name, customer string
		change         func(*customerWorld)
		want           []string
		not            []string
	}{
		{name: "hit", customer: "acme", want: []string{"Acme Corp: your answers", "Your answers of Support assistant are worse than usual", "Worse since about Sun 29 Mar, 18:05. It shows in your answers: 91 % of baseline, 95 % interval 88 to 94. It is confirmed for everyone.",
			"Hit you: yes. It was confirmed in your answers: 91 % of baseline, 95 % interval 88 to 94."}},
		{name: "ruled out", customer: "zenith", want: []string{"A drop in Support assistant is confirmed, and it is not in your answers", "Worse for everyone since about Sun 29 Mar, 17:05. It is not in your answers: a drop of 2 points or more is ruled out with 95 %.",
			"Hits you: no. A drop of 2 points or more is ruled out in your answers with 95 %."}},
		{name: "too few", customer: "tiny", want: []string{"Worse for everyone since about", "Your own answers are too few (57 of 200) to tell. This is everyone’s figure.", "Hit you: cannot tell. It was not confirmed in your answers, and cannot be ruled out either."}, not: []string{"80 % of baseline"}},
		{name: "not to be told", customer: "middling", want: []string{"Whether it is in your answers cannot be told yet: 97 % of baseline, 95 % interval 92 to 102.", "Cannot tell"}},
		{name: "never seen", customer: "nobody", want: []string{"None of your answers were measured in the last 90 days. What follows is of everyone.", "Your own answers are not watched by themselves here. This is everyone’s figure."}},
		{name: "only others", customer: "zenith", change: func(w *customerWorld) { w.regressions[0].Slice = quality.Slice{"customer": "acme"} },
			want: []string{"A drop is confirmed in a part of all answers that is not yours. It is not in your answers: a drop of 2 points", "As good as usual"}, not: []string{"for everyone since"}},
		{name: "only them", customer: "acme", change: func(w *customerWorld) { w.regressions[0].Slice = quality.Slice{"customer": "acme"} },
			want: []string{"It shows in your answers: 91 %", "It is confirmed in your answers; it is not confirmed for everyone."}},
		{name: "quiet", customer: "zenith", change: func(w *customerWorld) { w.world = quiet(t) },
			want: []string{"Your answers of Support assistant are as good as usual", "Your answers are as good as usual: 100 % of baseline, 95 % interval 99 to 102. Everyone’s answers are as good as usual (99 % of baseline", "No incidents were reported."}},
		{name: "quiet and low", customer: "acme", change: func(w *customerWorld) { w.world = quiet(t) },
			want: []string{"Your answers look lower than usual (96 % of baseline, 95 % interval 94 to 98), but this is not confirmed: it may be chance."}, not: []string{"Your answers are as good"}},
		{name: "low after a drop that ended", customer: "acme", change: func(w *customerWorld) { w.regressions[0].RecoveredAt = ptr(now.Add(-2 * time.Hour)) },
			want: []string{"A drop in your answers ended about 12:05. Your latest answers, which may hold some of that time, are at 96 % of baseline", "Your latest answers of Support assistant are lower than usual; no drop in them is confirmed now"}, not: []string{"chance"}},
		{name: "quiet and few", customer: "tiny", change: func(w *customerWorld) { w.world = quiet(t) },
			want: []string{"Everyone’s answers are as good as usual (99 % of baseline, 95 % interval 99 to 101). Your own answers are too few (57 of 200) to tell. This is everyone’s figure."}},
		{name: "blind", customer: "zenith", change: func(w *customerWorld) {
			w.world = quiet(t)
			w.statuses[0].State = quality.MonitorBlind
		}, want: []string{"How good the answers are cannot be told at the moment"}, not: []string{"Your answers are as good"}},
		{name: "availability", customer: "zenith", change: func(w *customerWorld) {
			w.incidents = []quality.Incident{{ID: "a", Kind: quality.IncidentAvailability, Name: "Support assistant did not answer", Features: []string{"support"}, Status: quality.IncidentResolved, StartedAt: now.Add(-day), CreatedAt: now.Add(-day), UpdatedAt: now, ResolvedAt: ptr(now.Add(-time.Hour)), Updates: w.incidents[0].Updates}}
		}, want: []string{"Whether a feature answers is checked for everyone together, not by customer."}},
		{name: "the store is away", customer: "acme", change: func(w *customerWorld) { w.daysErr = errors.New("clickhouse: secret-host") },
			want: []string{"Your days cannot be read at the moment", "It shows in your answers: 91 %"}, not: []string{"secret-host"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := customers(t)
			if tt.change != nil {
				tt.change(w)
			}
			f := w.fixture(t)
			got := text(f.get(t, "/private/link-"+tt.customer))
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in:\n%s", want, got)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(got, not) {
					t.Errorf("%q in:\n%s", not, got)
				}
			}
		})
	}
}

func TestCustomerLinks(t *testing.T) {
	f := customers(t).fixture(t)
	lost := f.do(http.MethodGet, "/nowhere", "Accept", "text/html")
	for _, tt := range []struct {
		path, want string
		code       int
	}{
		{"/private/link-acme", "Acme Corp", 200}, {"/private/unknown", "There is no such page", 404},
		{"/private/expired", "The link has expired. Ask who sent it for another one.", 403},
		{"/private/revoked", "The link was taken back. Ask who sent it for another one.", 403},
		{"/private/away", "The link cannot be checked at the moment.", 503},
	} {
		w := f.do(http.MethodGet, tt.path, "Accept", "text/html")
		body := w.Body.String()
		if w.Code != tt.code || !strings.Contains(body, tt.want) {
			t.Errorf("%s: got %d %s, want %d and %q", tt.path, w.Code, text(body), tt.code, tt.want)
		}
		if tt.code == 404 && body != lost.Body.String() {
			t.Errorf("%s: the page differs from any lost page: %s", tt.path, body)
		}
		if tt.code != 200 && strings.Contains(strings.ToLower(body), "acme corp") {
			t.Errorf("%s: names the customer: %s", tt.path, text(body))
		}
		h := w.Header()
		if h.Get("Cache-Control") != "private, no-store" || h.Get("Referrer-Policy") != "no-referrer" || !strings.HasPrefix(h.Get("X-Robots-Tag"), "noindex") || h.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: headers %v", tt.path, h)
		}
		for _, secret := range []string{"og:", "canonical", tt.path} {
			if strings.Contains(body, secret) {
				t.Errorf("%s: %q is in the page", tt.path, secret)
			}
		}
		if head := f.do(http.MethodHead, tt.path); head.Code != tt.code {
			t.Errorf("HEAD %s: got %d", tt.path, head.Code)
		}
	}
}

// The days are asked for by all names of one customer and no other, and not again at once.
func TestCustomerDaysAreAskedForByName(t *testing.T) {
	w := customers(t)
	f := w.fixture(t)
	for range 3 {
		f.get(t, "/private/link-acme")
	}
	f.get(t, "/private/link-zenith")
	if got := fmt.Sprint(w.asked); got != "[[acme acme-eu] [zenith]]" {
		t.Errorf("got %s", got)
	}
}

// Each link shows its own customer, also after others were shown.
func TestCustomersAreKeptApart(t *testing.T) {
	w := customers(t)
	var names []string
	for i := range 12 {
		name := fmt.Sprintf("tenant%02d", i)
		names = append(names, name)
		w.days[name] = []quality.ScoreDay{{Feature: "support", Metric: "correct", Day: w.scores[80].Day, N: uint64(7000 + 11*i), Mean: 0.9, SD: 0.2}}
	}
	f := w.fixture(t)
	for range 2 {
		for i, name := range names {
			page := f.get(t, "/private/link-"+name)
			for j, other := range names {
				own := strings.Contains(page, other) || strings.Contains(page, fmt.Sprintf("7,%03d answers", 11*j))
				if own != (i == j) {
					t.Fatalf("the page of %s: what is %s's is in it: %v", name, other, own)
				}
			}
		}
	}
}

// Whatever monitors, regressions and incidents know of other customers, none of their names and none of their
// figures is in the page.
func TestNoPageNamesAnotherCustomer(t *testing.T) {
	base := customers(t)
	rapid.Check(t, func(rt *rapid.T) {
		w := &customerWorld{world: ptr(*base.world), days: map[string][]quality.ScoreDay{"acme": base.scores}}
		other := rapid.StringMatching(`othercust[a-z]{3}`)
		slice := rapid.Custom(func(rt *rapid.T) quality.Slice {
			s := quality.Slice{rapid.SampledFrom([]string{"customer", "tenant", "language", "model"}).Draw(rt, "attribute"): other.Draw(rt, "value")}
			switch rapid.IntRange(0, 4).Draw(rt, "kind") {
			case 0:
				return quality.Slice{"customer": "acme"}
			case 1:
				return quality.Slice{}
			case 2:
				s["customer"] = "acme"
			}
			return s
		})
		figure := func(s quality.Slice) float64 {
			if len(s) == 0 || len(s) == 1 && s["customer"] == "acme" {
				return -0.1
			}
			return -0.3777 // 62 % of baseline
		}
		r := base.regressions[0]
		r.Slices, r.Slice = nil, slice.Draw(rt, "widest")
		r.Change, r.Interval = ptr(figure(r.Slice)), &[2]float64{figure(r.Slice) - 0.01, figure(r.Slice) + 0.01}
		for _, s := range rapid.SliceOfN(slice, 0, 5).Draw(rt, "confirmed") {
			x := quality.RegressionSlice{Slice: s, Change: ptr(figure(s)), Interval: &[2]float64{figure(s) - 0.01, figure(s) + 0.01}, DetectedAt: now.Add(-time.Hour), Current: quality.Estimate{N: 300}}
			if rapid.Bool().Draw(rt, "recovered") {
				x.RecoveredAt = ptr(now.Add(-time.Minute))
			}
			r.Slices = append(r.Slices, x)
		}
		if rapid.Bool().Draw(rt, "over") {
			r.RecoveredAt = ptr(now.Add(-time.Minute))
		}
		w.regressions = []quality.Regression{r}
		st := base.statuses[0]
		st.Change, st.Interval, st.Reason = r.Change, r.Interval, other.Draw(rt, "reason")
		w.statuses = []quality.MonitorStatus{st}
		i := base.incidents[0]
		i.Regression, i.Reason, i.Owner = &r, other.Draw(rt, "reason"), other.Draw(rt, "owner")
		secret := i
		secret.ID, secret.Name, secret.Updates, secret.Visibility = "secret", other.Draw(rt, "name"), nil, quality.VisibilityInternal
		w.incidents = []quality.Incident{i, secret}
		w.streams = []quality.StreamStatus{stream("", 9000, -0.01, -0.02, 0)}
		for _, s := range rapid.SliceOfN(slice, 0, 5).Draw(rt, "streams") {
			if len(s) == 0 {
				continue
			}
			x := stream("", 700, figure(s), figure(s)-0.01, figure(s)+0.01)
			x.Slice, x.Reason = s, other.Draw(rt, "why")
			w.streams = append(w.streams, x)
		}
		page := w.fixture(t).get(t, "/private/link-acme")
		if at := strings.Index(page, "othercust"); at >= 0 {
			rt.Fatalf("another customer is named: %s", page[max(0, at-200):at+40])
		}
		hidden := !partly(r)
		if hidden && strings.Contains(text(page), "62 %") {
			rt.Fatalf("a figure of another customer is told: %s", text(page))
		}
	})
}

// partly reports whether a regression is of a part that is no customer, whose figure everyone may see.
func partly(r quality.Regression) bool {
	for _, s := range r.Slices {
		if _, ok := s.Slice["customer"]; !ok && len(s.Slice) > 0 {
			return true
		}
	}
	return false
}
