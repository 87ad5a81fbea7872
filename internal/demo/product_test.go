package demo

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// draw makes the outputs of every feature in a period, counted from the start of the week.
func draw(seed uint64, from, to time.Duration) [][]quality.Sample {
	p := &product{rand: rand.New(rand.NewPCG(seed, 1)), start: monday}
	out := make([][]quality.Sample, len(makers))
	for i := range makers {
		out[i] = p.between(i, monday.Add(from), monday.Add(to))
	}
	return out
}

func TestASeedGivesTheSameProduct(t *testing.T) {
	a, b := draw(7, 0, week), draw(7, 0, week)
	if !reflect.DeepEqual(a, b) {
		t.Error("two products of one seed differ")
	}
	if c := draw(8, 0, week); reflect.DeepEqual(a[0], c[0]) {
		t.Error("products of two seeds are the same")
	}
}

// share counts for which part of the samples that a condition picks another holds.
type share struct{ hits, n float64 }

func (s *share) add(hit bool) {
	s.n++
	if hit {
		s.hits++
	}
}

// near fails when the share cannot come from the rate: five standard deviations.
func (s share) near(t *testing.T, what string, rate float64) {
	t.Helper()
	if s.n < 100 || math.Abs(s.hits/s.n-rate) > 5*math.Sqrt(rate*(1-rate)/s.n) {
		t.Errorf("%s: got %.3f of %.0f, want %.3f", what, s.hits/s.n, s.n, rate)
	}
}

// ratesOf gathers the shares by name over as many seeds.
func ratesOf(feature int, weeks int, fn func(s quality.Sample, after time.Duration, add func(name string, hit bool))) map[string]*share {
	out := map[string]*share{}
	for seed := range uint64(weeks) {
		for _, s := range draw(seed+1, -week, week)[feature] {
			fn(s, s.Time.Sub(monday), func(name string, hit bool) {
				if out[name] == nil {
					out[name] = &share{}
				}
				out[name].add(hit)
			})
		}
	}
	return out
}

func isAnswer(s quality.Sample) bool {
	var v struct {
		Answer   string `json:"answer"`
		Category string `json:"category"`
	}
	return json.Unmarshal([]byte(s.Output.Last()), &v) == nil && v.Answer != "" && v.Category != ""
}

func TestSupportBreaksInGermanOnly(t *testing.T) {
	rates := ratesOf(0, 10, func(s quality.Sample, after time.Duration, add func(string, bool)) {
		language, edited := s.Attributes["language"], after >= promptEdit && after < promptRevert
		add("language "+language, true)
		add(fmt.Sprintf("%s %v", language, edited), !isAnswer(s))
		add("prompt of its time", (s.Prompt == "support@v13") == edited)
		add("model", s.Model == "atlas-2")
	})
	rates["de true"].near(t, "broken in German after the edit", 0.85)
	for _, calm := range []string{"de false", "en true", "en false", "fr true", "fr false"} {
		rates[calm].near(t, "broken: "+calm, 0.02)
	}
	rates["prompt of its time"].near(t, "prompt of its time", 1)
	rates["model"].near(t, "model", 1)
	all := rates["model"].n
	for language, part := range map[string]float64{"en": .45, "de": .35, "fr": .20} {
		share{rates["language "+language].n, all}.near(t, language, part)
	}
}

var total = regexp.MustCompile(`total: ([0-9.]+)`)

func TestInvoicesAreWrongMoreOftenAfterTheSwap(t *testing.T) {
	rates := ratesOf(1, 10, func(s quality.Sample, after time.Duration, add func(string, bool)) {
		swapped := after >= modelSwap
		found := total.FindStringSubmatch(s.Output.Last())
		add(fmt.Sprint("right ", swapped), found != nil && s.Reference != nil && found[1] == *s.Reference)
		add("model of its time", s.Model == map[bool]string{false: "lumen-large-0613", true: "lumen-large-0926"}[swapped])
		add("no error", s.Error == "" && s.Prompt == "invoice@v4")
	})
	rates["right false"].near(t, "right before the swap", 0.94)
	rates["right true"].near(t, "right after the swap", 0.78)
	rates["model of its time"].near(t, "model of its time", 1)
	rates["no error"].near(t, "no error", 1)
}

func TestMeetingNotesChangeInTrafficOnly(t *testing.T) {
	rates := ratesOf(2, 20, func(s quality.Sample, after time.Duration, add func(string, bool)) {
		kind, shifted := s.Attributes["kind"], after >= mixShift
		hit := strings.Contains(s.Output.Last(), "\n- [ ] ")
		add(fmt.Sprintf("%s %v", kind, shifted), hit)
		add(fmt.Sprint("all ", shifted), hit)
	})
	for _, shifted := range []string{"false", "true"} {
		rates["long "+shifted].near(t, "long calls, shifted "+shifted, 0.96)
		rates["short "+shifted].near(t, "short calls, shifted "+shifted, 0.78)
	}
	rates["all false"].near(t, "pass rate before", 0.8*0.96+0.2*0.78)
	rates["all true"].near(t, "pass rate after", 0.4*0.96+0.6*0.78)
}

func TestTrafficOfTheProduct(t *testing.T) {
	ids := map[string]bool{}
	customersSeen, day := map[string]float64{}, share{}
	n := 0.0
	for seed := range uint64(4) {
		for i, samples := range draw(seed, 0, week) {
			last := monday
			for _, s := range samples {
				if err := s.Validate(); err != nil || s.Feature != makers[i].feature || s.Time.Before(last) || !s.Time.Before(monday.Add(week)) {
					t.Fatalf("got %+v (%v)", s, err)
				}
				last = s.Time
				if seed == 0 && ids[s.ID] {
					t.Errorf("id %q came twice", s.ID)
				}
				ids[s.ID] = true
				customersSeen[s.Customer]++
				n++
				day.add(s.Time.Hour() >= 9 && s.Time.Hour() < 21)
			}
		}
	}
	if perWeek := n / 4 / 7 / float64(len(makers)); math.Abs(perWeek-perDay) > 12 {
		t.Errorf("got %.0f outputs of a feature in a day, want about %d", perWeek, perDay)
	}
	for _, c := range customers {
		share{customersSeen[c.name], n}.near(t, c.name, c.share)
	}
	if day.hits/day.n < 0.6 {
		t.Errorf("got %.2f of the outputs by day, want more than by night", day.hits/day.n)
	}
}

func TestAvailabilityHasNothingToDoWithQuality(t *testing.T) {
	p := &product{start: monday}
	downtime := map[string]time.Duration{}
	for at := monday.AddDate(0, 0, -historyDays); at.Before(monday.Add(2 * week)); at = at.Add(time.Minute) {
		for _, m := range makers {
			if !p.up(m.feature, at) {
				downtime[m.feature] += time.Minute
				if at.After(monday) {
					t.Fatalf("%s is down at %s of the week", m.feature, at)
				}
			}
		}
	}
	if want := map[string]time.Duration{"invoice-reader": 50 * time.Minute, "meeting-notes": 25 * time.Minute}; !reflect.DeepEqual(downtime, want) {
		t.Errorf("got %v, want %v", downtime, want)
	}
}

func TestTheEventsStandInTheWeek(t *testing.T) {
	events := []time.Duration{0, promptEdit, modelSwap, promptRevert, mixShift, week}
	if !slices.IsSorted(events) || len(slices.Compact(events)) != 6 {
		t.Errorf("got %v, want them in the order in which they happen", events)
	}
}

func TestPageHost(t *testing.T) {
	for addr, want := range map[string]string{
		"[::]:8080": "localhost:8080", "0.0.0.0:8080": "localhost:8080", ":8080": "localhost:8080", "127.0.0.1:1": "127.0.0.1:1",
		"[::1]:1": "[::1]:1", "192.0.2.1:1": "192.0.2.1:1", "odd": "odd",
	} {
		if got := pageHost(addr); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}
