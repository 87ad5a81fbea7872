package probe_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/collector/probe"
	"github.com/asgood-dev/asgood/internal/quality"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(i int) time.Time { return testNow.Add(time.Duration(i) * time.Minute) }

func result(i int, c byte) probe.Result {
	return probe.Result{
		ProbeResult: quality.ProbeResult{Feature: "f", Probe: "p", Time: at(i), Up: c == 'u'}, Unknown: c == '?',
	}
}

func TestConfirm(t *testing.T) {
	for _, tt := range []struct {
		name   string
		checks string // u is up, d is down, ? is unknown
		downs  int
		ups    int
		state  quality.UpState
		since  int // -1 where there is none
	}{
		{"nothing known", "", 2, 1, quality.UpUnknown, -1},
		{"up", "u", 2, 1, quality.Up, 0},
		{"one failure at first", "d", 2, 1, quality.UpUnknown, -1},
		{"down from the first on", "dd", 2, 1, quality.Down, 0},
		{"one failure", "ud", 2, 1, quality.Up, 0},
		{"failures not in a row", "ududud", 2, 1, quality.Up, 0},
		{"down since the first failure", "uudd", 2, 1, quality.Down, 2},
		{"stays down", "uddddd", 2, 1, quality.Down, 1},
		{"up again", "uddu", 2, 1, quality.Up, 3},
		{"once is enough", "ud", 1, 1, quality.Down, 1},
		{"needs of 0 are 1", "udu", 0, 0, quality.Up, 2},
		{"three", "uddudd", 3, 1, quality.Up, 0},
		{"one good check of two", "uddu", 2, 2, quality.Down, 1},
		{"two good checks, since the first", "udduu", 2, 2, quality.Up, 3},
		{"good checks not in a row", "uddududu", 2, 2, quality.Down, 1},
		{"recovery needs no second check at first", "u", 2, 3, quality.Up, 0},
		{"unknown at first", "??", 2, 1, quality.UpUnknown, -1},
		{"unknown ends up", "uu?", 2, 1, quality.UpUnknown, 2},
		{"unknown does not end down", "udd??", 2, 1, quality.Down, 1},
		{"unknown between failures", "ud?d", 2, 1, quality.Down, 1},
		{"unknown is no failure", "ud???", 2, 1, quality.UpUnknown, 2},
		{"unknown between good checks", "uddu?u", 2, 2, quality.Up, 3},
		{"up after unknown", "u?u", 2, 1, quality.Up, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s quality.ProbeStatus
			for i := range len(tt.checks) {
				s = probe.Confirm(s, result(i, tt.checks[i]), tt.downs, tt.ups)
			}
			want := time.Time{}
			if tt.since >= 0 {
				want = at(tt.since)
			}
			if s.State != tt.state || !s.Since.Equal(want) {
				t.Errorf("%s: got %q since %s, want %q since %s", tt.checks, s.State, s.Since, tt.state, want)
			}
		})
	}
}

func TestConfirmHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checks := rapid.StringMatching(`[ud?]{0,40}`).Draw(t, "checks")
		downs, ups := rapid.IntRange(1, 4).Draw(t, "downs"), rapid.IntRange(1, 4).Draw(t, "ups")
		var s quality.ProbeStatus
		bad := 0 // failures in a row
		for i := range len(checks) {
			before := s
			s = probe.Confirm(s, result(i, checks[i]), downs, ups)
			switch checks[i] {
			case 'd':
				bad++
			case 'u':
				bad = 0
			}
			switch {
			case s.State == quality.Down && before.State != quality.Down && bad < downs:
				t.Fatalf("%s: down at %d after %d failures, want %d", checks, i, bad, downs)
			case s.State != quality.Down && bad >= downs:
				t.Fatalf("%s: %q at %d after %d failures", checks, s.State, i, bad)
			case s.State == quality.UpUnknown && before.State == quality.Down:
				t.Fatalf("%s: an outage became unknown at %d", checks, i)
			case s.State == quality.Up && before.State != quality.Up && checks[i] != 'u':
				t.Fatalf("%s: up at %d without a good check", checks, i)
			case !s.CheckedAt.Equal(at(i)) || s.Since.After(at(i)):
				t.Fatalf("%s: got %+v at %d", checks, s, i)
			}
		}
	})
}
