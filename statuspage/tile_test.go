package statuspage_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage"
)

func TestTileWords(t *testing.T) {
	type change func(*quality.MonitorStatus)
	regressed := func(s *quality.MonitorStatus) { s.State, s.Regression = quality.MonitorRegressed, "reg-support" }
	open := []quality.Regression{regression("support", -0.07, 45*time.Hour)}
	over := []quality.Regression{open[0]}
	over[0].RecoveredAt = ptr(now.Add(-time.Hour))
	graded := func(s quality.Severity) map[string]quality.Severity {
		return map[string]quality.Severity{"reg-support": s}
	}
	for _, tt := range []struct {
		name        string
		change      change
		regressions []quality.Regression
		severities  map[string]quality.Severity
		want        statuspage.Word
		figure      string
	}{
		{"watching", func(*quality.MonitorStatus) {}, nil, nil, statuspage.WordUsual, "99.7 [98.8 100.6]"},
		{"has not run", func(s *quality.MonitorStatus) { s.State = "" }, nil, nil, statuspage.WordNotEnough, ""},
		{"learning", func(s *quality.MonitorStatus) { s.State = quality.MonitorLearning }, nil, nil, statuspage.WordNotEnough, ""},
		{"an unknown state", func(s *quality.MonitorStatus) { s.State = "new" }, nil, nil, statuspage.WordNotEnough, ""},
		{"too few scores", func(s *quality.MonitorStatus) { s.Current.N = 29 }, nil, nil, statuspage.WordNotEnough, ""},
		{"just enough", func(s *quality.MonitorStatus) { s.Current.N = 30 }, nil, nil, statuspage.WordUsual, "99.7 [98.8 100.6]"},
		{"no change known", func(s *quality.MonitorStatus) { s.Change = nil }, nil, nil, statuspage.WordNotEnough, ""},
		{"blind", func(s *quality.MonitorStatus) { s.State = quality.MonitorBlind }, nil, nil, statuspage.WordCannotTell, ""},
		{"dead, whatever it said last", func(s *quality.MonitorStatus) { s.LastScoreAt = now.Add(-statuspage.MaxSilence - 1) }, nil, nil, statuspage.WordCannotTell, ""},
		{"a weekend without traffic", func(s *quality.MonitorStatus) { s.LastScoreAt = now.Add(-statuspage.MaxSilence) }, nil, nil, statuspage.WordUsual, "99.7 [98.8 100.6]"},
		{"improved", func(s *quality.MonitorStatus) { s.State, s.Change = quality.MonitorImproved, ptr(0.03) }, nil, nil, statuspage.WordBetter, "103 [98.8 100.6]"},
		{"improved and dead", func(s *quality.MonitorStatus) {
			s.State, s.LastScoreAt = quality.MonitorImproved, now.Add(-100*time.Hour)
		}, nil, nil, statuspage.WordCannotTell, ""},
		{"regressed, not graded", regressed, open, nil, statuspage.WordSlightlyWorse, "93 [90.9 94.9]"},
		{"graded minor", regressed, open, graded(quality.SeverityMinor), statuspage.WordSlightlyWorse, "93 [90.9 94.9]"},
		{"graded major", regressed, open, graded(quality.SeverityMajor), statuspage.WordWorse, "93 [90.9 94.9]"},
		{"graded critical", regressed, open, graded(quality.SeverityCritical), statuspage.WordMuchWorse, "93 [90.9 94.9]"},
		{"open, the monitor has not said so yet", func(*quality.MonitorStatus) {}, open, graded(quality.SeverityMajor), statuspage.WordWorse, "93 [90.9 94.9]"},
		{"open and blind", func(s *quality.MonitorStatus) { s.State = quality.MonitorBlind }, open, nil, statuspage.WordSlightlyWorse, "93 [90.9 94.9]"},
		{"said so, the regression is not there yet", regressed, nil, nil, statuspage.WordSlightlyWorse, "99.7 [98.8 100.6]"},
		{"over", func(*quality.MonitorStatus) {}, over, graded(quality.SeverityCritical), statuspage.WordUsual, "99.7 [98.8 100.6]"},
		{"of another metric", func(s *quality.MonitorStatus) { s.Metric = "other" }, open, nil, statuspage.WordUsual, "99.7 [98.8 100.6]"},
		{"not on the tile", func(s *quality.MonitorStatus) { s.Tile = false }, open, nil, statuspage.WordCannotTell, ""},
		{"worse is higher", func(s *quality.MonitorStatus) {
			s.Worse, s.Change, s.Interval = quality.WorseHigher, ptr(0.03), &[2]float64{0.01, 0.05}
		}, nil, nil, statuspage.WordUsual, "97 [95 99]"},
		{"a range of five", func(s *quality.MonitorStatus) { s.Range = [2]float64{0, 5}; s.Change = ptr(-1.0); s.Interval = nil }, nil, nil, statuspage.WordUsual, "80"},
		{"no range", func(s *quality.MonitorStatus) { s.Range = [2]float64{} }, nil, nil, statuspage.WordUsual, ""},
		{"unbounded", func(s *quality.MonitorStatus) {
			s.Unbounded, s.Baseline.Mean, s.Change, s.Interval = true, ptr(200.0), ptr(-50.0), &[2]float64{-70, -30}
		}, nil, nil, statuspage.WordUsual, "75 [65 85]"},
		{"unbounded around zero", func(s *quality.MonitorStatus) { s.Unbounded, s.Baseline.Mean = true, ptr(0.0) }, nil, nil, statuspage.WordUsual, ""},
		{"unbounded, no mean", func(s *quality.MonitorStatus) { s.Unbounded, s.Baseline.Mean = true, nil }, nil, nil, statuspage.WordUsual, ""},
		{"beyond all numbers", func(s *quality.MonitorStatus) { s.Change = ptr(math.Inf(-1)) }, nil, nil, statuspage.WordUsual, ""},
		{"an interval beyond all numbers", func(s *quality.MonitorStatus) { s.Interval = &[2]float64{math.Inf(-1), 0} }, nil, nil, statuspage.WordUsual, "99.7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := watching("support")
			tt.change(&s)
			got := statuspage.Tile(statuspage.TileInput{Statuses: []quality.MonitorStatus{s}, Regressions: tt.regressions, Severities: tt.severities, Now: now})
			if got.Word != tt.want || figure(got) != tt.figure {
				t.Errorf("got %q %q, want %q %q", got.Word, figure(got), tt.want, tt.figure)
			}
			if (got.Word == statuspage.WordNotEnough || got.Word == statuspage.WordCannotTell) && got.Note == "" {
				t.Error("does not say why nothing can be said")
			}
			if got.Word.Worse() && len(tt.regressions) > 0 && (got.Since == nil || !got.Since.Equal(*open[0].StartedAt)) {
				t.Errorf("since: got %v, want the start of the regression", got.Since)
			}
		})
	}
}

func figure(t statuspage.QualityTile) string {
	round := func(x float64) float64 { return math.Round(x*100) / 100 }
	switch {
	case t.Percent == nil:
		return ""
	case t.Interval == nil:
		return fmt.Sprint(round(*t.Percent))
	default:
		return fmt.Sprint(round(*t.Percent), [2]float64{round(t.Interval[0]), round(t.Interval[1])})
	}
}

// A regression whose start is not known is told since it was detected.
func TestSinceWithoutStart(t *testing.T) {
	r := regression("support", -0.07, 45*time.Hour)
	r.StartedAt = nil
	got := statuspage.Tile(statuspage.TileInput{Statuses: []quality.MonitorStatus{watching("support")}, Regressions: []quality.Regression{r}, Now: now})
	if got.Since == nil || !got.Since.Equal(r.DetectedAt) {
		t.Errorf("got %v, want %v", got.Since, r.DetectedAt)
	}
}

// The tile shows the worst of its monitors, in any order of them.
func TestTileShowsTheWorst(t *testing.T) {
	all := []quality.MonitorStatus{}
	add := func(metric string, state quality.MonitorState, change float64) {
		s := watching("support")
		s.Metric, s.State, s.Change = metric, state, ptr(change)
		all = append(all, s)
	}
	add("usual", quality.MonitorWatching, -0.01)
	add("lower", quality.MonitorWatching, -0.02)
	add("better", quality.MonitorImproved, 0.1)
	add("learning", quality.MonitorLearning, 0)
	add("blind", quality.MonitorBlind, 0)
	add("slight", quality.MonitorRegressed, -0.5)
	add("worse", quality.MonitorRegressed, -0.1)
	add("worst", quality.MonitorRegressed, -0.2)
	severities := map[string]quality.Severity{"major": quality.SeverityMajor}
	all[6].Regression, all[7].Regression = "major", "major"
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, len(all)).Draw(t, "n")
		list := rapid.Permutation(all[:n]).Draw(t, "order")
		got := statuspage.Tile(statuspage.TileInput{Statuses: list, Severities: severities, Now: now})
		want := []string{"usual", "lower", "better", "learning", "blind", "slight", "worse", "worst"}[n-1]
		if got.Metric != want {
			t.Fatalf("of the first %d: got %q (%s), want %q", n, got.Metric, got.Word, want)
		}
	})
}

func TestSlugsAreApart(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range statuspage.Words() {
		if slug := w.Slug(); seen[slug] || slug == "" {
			t.Errorf("%q: slug %q again", w, slug)
		}
		seen[w.Slug()] = true
	}
	if got := statuspage.Word("").Slug(); got != "cannot-tell" {
		t.Errorf("no word is %q, want what cannot be told", got)
	}
}

// Percent is the same for a metric and its mirror, 100 without a change, and falls as things get worse.
func TestPercent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		change, scale := rapid.Float64Range(-1e6, 1e6).Draw(t, "change"), rapid.Float64Range(1e-3, 1e6).Draw(t, "scale")
		p := statuspage.Percent(change, scale, quality.WorseLower)
		if mirrored := statuspage.Percent(-change, scale, quality.WorseHigher); mirrored != p {
			t.Fatalf("got %g, mirrored %g", p, mirrored)
		}
		if p < 0 || math.IsNaN(p) || change < 0 && p > 100 || change > 0 && p < 100 {
			t.Fatalf("got %g for a change of %g of %g", p, change, scale)
		}
		if zero := statuspage.Percent(0, scale, ""); zero != 100 {
			t.Fatalf("no change is %g", zero)
		}
		if worse := statuspage.Percent(change-scale/10, scale, quality.WorseLower); worse > p {
			t.Fatalf("worse is more: %g, %g", worse, p)
		}
	})
}

func TestPercentText(t *testing.T) {
	for p, want := range map[float64]string{
		100: "100", 99.96: "100", 99.94: "99", 99.5: "99", 99.4: "99", 97.5: "98", 0: "0", 0.4: "0", 100.4: "100", 100.5: "101", 999: "999", 1e300: "more than 999",
	} {
		if got := statuspage.PercentText(p); got != want+"\u00a0%" {
			t.Errorf("%g: got %q, want %q", p, got, want)
		}
	}
}

// Nothing below 100 is given as 100, in JSON either.
func TestHundredth(t *testing.T) {
	for p, want := range map[float64]float64{100: 100, 99.999: 99.99, 99.994: 99.99, 97.126: 97.13, 100.004: 100, 0: 0} {
		if got := statuspage.Hundredth(&p); *got != want {
			t.Errorf("%g: got %g, want %g", p, *got, want)
		}
	}
	if statuspage.Hundredth(nil) != nil {
		t.Error("no percent became one")
	}
	if got := statuspage.Floored(1<<62-1, 1<<62); got != "99.99" {
		t.Errorf("one of very many unanswered: got %s, want 99.99", got)
	}
}

func TestUptimeWords(t *testing.T) {
	probe := func(s quality.UpState, since, checked time.Duration) quality.ProbeStatus {
		return quality.ProbeStatus{State: s, Since: now.Add(-since), CheckedAt: now.Add(-checked)}
	}
	const m = time.Minute
	for _, tt := range []struct {
		name   string
		probes []quality.ProbeStatus
		want   statuspage.UptimeWord
		since  time.Duration
	}{
		{"no probes", nil, statuspage.UptimeUnknown, 0},
		{"not checked yet", []quality.ProbeStatus{{}}, statuspage.UptimeUnknown, 0},
		{"up", []quality.ProbeStatus{probe(quality.Up, 9*m, 0)}, statuspage.UptimeUp, 0},
		{"down", []quality.ProbeStatus{probe(quality.Down, 9*m, 0)}, statuspage.UptimeDown, 9 * m},
		{"both down, since the first", []quality.ProbeStatus{probe(quality.Down, 2*m, 0), probe(quality.Down, 9*m, 0)}, statuspage.UptimeDown, 9 * m},
		{"one of two", []quality.ProbeStatus{probe(quality.Up, 90*m, 0), probe(quality.Down, 9*m, 0)}, statuspage.UptimePartly, 9 * m},
		{"up long ago: nobody looks any more", []quality.ProbeStatus{probe(quality.Up, 90*m, 6*m)}, statuspage.UptimeUnknown, 0},
		{"down long ago: nobody looks any more", []quality.ProbeStatus{probe(quality.Down, 90*m, 6*m), probe(quality.Up, m, 0)}, statuspage.UptimeUp, 0},
		{"just within", []quality.ProbeStatus{probe(quality.Up, 90*m, 5*m)}, statuspage.UptimeUp, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := statuspage.Uptime(statuspage.UptimeInput{Probes: tt.probes, Now: now, Silence: 5 * m})
			if got.Word != tt.want || got.Share != "" || got.Days != 0 {
				t.Errorf("got %+v, want %q and no figure", got, tt.want)
			}
			if (got.Since == nil) != (tt.since == 0) || got.Since != nil && !got.Since.Equal(now.Add(-tt.since)) {
				t.Errorf("since: got %v, want %v ago", got.Since, tt.since)
			}
		})
	}
}

// Uptime counts checks of days that have some, and never rounds up.
func TestUptimeShare(t *testing.T) {
	days := make([]statuspage.AvailabilityDay, 90)
	days[10] = statuspage.AvailabilityDay{Checks: 100000, Up: 99999}
	days[89] = statuspage.AvailabilityDay{Checks: 100000, Up: 100000}
	got := statuspage.Uptime(statuspage.UptimeInput{Days: days, Now: now})
	if got.Share != "99.99" || got.Days != 80 || got.Word != statuspage.UptimeUnknown {
		t.Errorf("got %+v, want 99.99 of 80 days", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		checks := rapid.Uint64Range(1, 1e12).Draw(t, "checks")
		up := rapid.Uint64Range(0, checks).Draw(t, "up")
		text := statuspage.Floored(up, checks)
		share, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		if (text == "100") != (up == checks) {
			t.Fatalf("%d of %d is %q", up, checks, text)
		}
		if exact := 100 * float64(up) / float64(checks); share > exact+1e-9 || share < exact-0.0100001 {
			t.Fatalf("%d of %d is %q, exactly %g", up, checks, text, exact)
		}
	})
}

// Quality never counts into uptime nor the other way round.
func TestQualityAndUptimeAreApart(t *testing.T) {
	w, down := worse(t, quality.SeverityCritical, -0.31), quiet(t)
	down.probes[0].State = quality.Down
	var a, b, c struct {
		Components []struct {
			Quality struct {
				Word    string
				Percent *float64
			}
			Uptime struct{ Word, Percent string }
		}
	}
	decode(t, quiet(t).show(t), "/api/v2/components.json", &a)
	decode(t, w.show(t), "/api/v2/components.json", &b)
	decode(t, down.show(t), "/api/v2/components.json", &c)
	if a.Components[0].Uptime != b.Components[0].Uptime {
		t.Errorf("worse answers changed uptime: %+v, %+v", a.Components[0].Uptime, b.Components[0].Uptime)
	}
	if a.Components[0].Quality.Word != c.Components[0].Quality.Word || *a.Components[0].Quality.Percent != *c.Components[0].Quality.Percent {
		t.Errorf("an outage changed quality: %+v, %+v", a.Components[0].Quality, c.Components[0].Quality)
	}
}

func TestMoments(t *testing.T) {
	loc := berlin(t)
	for at, want := range map[string]string{
		"2026-03-31T00:00:00+02:00": "00:00", "2026-03-30T23:59:00+02:00": "Mon 30 Mar, 23:59", "2026-03-29T00:30:00Z": "Sun 29 Mar, 01:30",
		"2026-03-29T01:30:00Z": "Sun 29 Mar, 03:30", "2025-12-31T12:00:00Z": "Wed 31 Dec, 13:00", "2025-03-01T12:00:00Z": "1 Mar 2025, 13:00",
	} {
		v, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := statuspage.SameMoment(v, loc, now); got.Text != want {
			t.Errorf("%s: got %q, want %q", at, got.Text, want)
		}
	}
	if got := statuspage.SameMoment(time.Time{}, loc, now); got.Text != "" || got.ISO != "" {
		t.Errorf("no time: got %+v", got)
	}
}
