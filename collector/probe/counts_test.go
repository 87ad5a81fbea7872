package probe_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/collector/probe"
	"github.com/asgood-dev/asgood/internal/quality"
)

func counted(window time.Duration, now *time.Time) *probe.Counts {
	return probe.NewCounts([]quality.Feature{
		{Name: "chat", Probes: []quality.ProbeSpec{{Traffic: &quality.TrafficProbe{ErrorsAbove: 0.1, Window: window}}, {TCP: "x:1"}}},
		{Name: "notes"},
	}, func() time.Time { return *now })
}

func TestCounts(t *testing.T) {
	now := testNow.Add(30 * time.Second)
	c := counted(5*time.Minute, &now)
	for _, m := range []int{-5, -1, 0, 1} {
		c.Add("chat", at(m), 10, 1)
	}
	for _, m := range []int{-1_000_000_000, -7, -6, 2, 3, 1000} { // no window reaches them
		c.Add("chat", at(m), 1000, 1000)
	}
	c.Add("notes", now, 1, 1)
	(*probe.Counts)(nil).Add("chat", now, 1, 1)
	check := func(feature string, window time.Duration, total, failed uint64) {
		t.Helper()
		if a, b := c.Recent(feature, window); a != total || b != failed {
			t.Errorf("%s, %s: got %d, %d, want %d, %d", feature, window, a, b, total, failed)
		}
	}
	check("chat", 5*time.Minute, 40, 4)
	check("chat", time.Minute, 30, 3)
	check("notes", 5*time.Minute, 0, 0)
	check("none", 5*time.Minute, 0, 0)
	now = now.Add(time.Minute)
	check("chat", 5*time.Minute, 30, 3)
	now = now.Add(time.Hour)
	check("chat", 5*time.Minute, 0, 0)
	c.Add("chat", now, 2, 1)
	check("chat", 5*time.Minute, 2, 1)
}

// The ring says what a list of everything would say.
func TestCountsAgreeWithAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.IntRange(1, 20).Draw(t, "window")
		now := testNow
		c := counted(time.Duration(window)*time.Minute, &now)
		all := map[int64]uint64{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "pass")) * time.Second)
			when := now.Add(time.Duration(rapid.IntRange(-30*60, 150).Draw(t, "when")) * time.Second)
			minute := now.Unix() / 60
			if m := when.Unix() / 60; m <= minute+1 && m >= minute-int64(window) {
				all[m]++
			}
			c.Add("chat", when, 1, 1)
			var want uint64
			for m, n := range all {
				if m >= minute-int64(window) && m <= minute+1 {
					want += n
				}
			}
			if got, failed := c.Recent("chat", time.Duration(window)*time.Minute); got != want || failed != want {
				t.Fatalf("got %d, want %d", got, want)
			}
		}
	})
}

func TestJudgeTraffic(t *testing.T) {
	spec := quality.TrafficProbe{ErrorsAbove: 0.2, Min: 20, Window: 5 * time.Minute}
	for _, tt := range []struct {
		total, failed uint64
		want          string
	}{{0, 0, "unknown"}, {19, 19, "unknown"}, {20, 0, "up"}, {20, 4, "up"}, {20, 5, "down"}, {1000, 1000, "down"}} {
		got := "up"
		switch err := probe.JudgeTraffic(spec, tt.total, tt.failed); {
		case probe.IsUnknown(err):
			got = "unknown"
		case err != nil:
			got = "down"
		}
		if got != tt.want {
			t.Errorf("%d of %d: got %s, want %s", tt.failed, tt.total, got, tt.want)
		}
	}
	if err := probe.JudgeTraffic(quality.TrafficProbe{}, 0, 0); !probe.IsUnknown(err) {
		t.Errorf("got %v without traffic, want unknown", err)
	}
}

func BenchmarkCountsAdd(b *testing.B) {
	now := testNow
	c := counted(5*time.Minute, &now)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Add("chat", now, 1, 0)
		}
	})
}

func BenchmarkCountsRecent(b *testing.B) {
	now := testNow
	c := counted(24*time.Hour, &now)
	for b.Loop() {
		c.Recent("chat", 24*time.Hour)
	}
}

func BenchmarkConfirm(b *testing.B) {
	var s quality.ProbeStatus
	r := result(1, 'd')
	b.ReportAllocs()
	for b.Loop() {
		s = probe.Confirm(s, r, 2, 1)
	}
}
