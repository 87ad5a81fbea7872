package evaluator_test

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// The fleet of the benchmarks: features x attributes x values, each value a stream, beside the whole features.
const (
	fleetFeatures = 20
	fleetSlices   = 5
	fleetValues   = 1000
)

func fleetOptions() evaluator.EngineOptions {
	var attributes []string
	for i := range fleetSlices {
		attributes = append(attributes, "a"+strconv.Itoa(i))
	}
	o := evaluator.EngineOptions{Remember: 4096}
	for i := range fleetFeatures {
		o.Features = append(o.Features, quality.Feature{Name: "f" + strconv.Itoa(i), Scorers: []quality.ScorerSpec{{Name: "good", Type: "regex", Pattern: "^good$"}},
			Monitors: []quality.MonitorSpec{{Metric: "good", Slices: attributes, MaxSlices: fleetValues, Baseline: quality.BaselineSpec{First: 50}}}})
	}
	return o
}

// fleetEngine makes every stream of the fleet live, with so many scores in each.
func fleetEngine(b *testing.B, scores int) *evaluator.Engine {
	b.Helper()
	e, err := evaluator.NewEngine(fleetOptions())
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	at, pos := monday, uint64(0)
	for range scores {
		for v := range fleetValues {
			for f := range fleetFeatures {
				pos++
				at = at.Add(time.Second)
				e.Observe(fleetSample(rng, f, v, at, pos), pos)
			}
		}
	}
	return e
}

func fleetSample(rng *rand.Rand, f, v int, at time.Time, pos uint64) quality.Sample {
	s := quality.Sample{ID: strconv.FormatUint(pos, 10), Feature: "f" + strconv.Itoa(f), Time: at, Output: quality.Text("bad"), Attributes: map[string]string{}}
	if rng.Float64() < .9 {
		s.Output = quality.Text("good")
	}
	for i := range fleetSlices {
		s.Attributes["a"+strconv.Itoa(i)] = "value-" + strconv.Itoa(v*[]int{1, 3, 7, 9, 11}[i]%fleetValues)
	}
	return s
}

// used returns what the heap holds, and what the process has of the system.
func used() (heap, resident float64) {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc), float64(m.Sys - m.HeapReleased)
}

// BenchmarkFleet measures a hundred thousand live streams: their memory, one score, and what it takes to save
// and restore all of them.
func BenchmarkFleet(b *testing.B) {
	before, _ := used()
	e := fleetEngine(b, 100)
	_, peak := used()
	n := float64(e.Streams())
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			runtime.KeepAlive(e)
		}
		heap, _ := used()
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(n, "streams")
		b.ReportMetric((heap-before)/n, "B/stream")
		b.ReportMetric(peak/(1<<20), "MB-process")
	})
	var chunks map[string][]byte
	b.Run("observe", func(b *testing.B) {
		rng := rand.New(rand.NewPCG(3, 4))
		samples := make([]quality.Sample, 4096)
		for i := range samples {
			samples[i] = fleetSample(rng, rng.IntN(fleetFeatures), rng.IntN(fleetValues), monday.Add(8000*time.Hour), uint64(i))
			samples[i].ID = ""
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			e.Observe(samples[i%len(samples)], uint64(1e9+i))
		}
	})
	b.Run("snapshot", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if chunks, err = e.Snapshot(); err != nil {
				b.Fatal(err)
			}
		}
		size, largest := 0, 0
		for _, c := range chunks {
			size, largest = size+len(c), max(largest, len(c))
		}
		b.ReportMetric(float64(size)/n, "B/stream")
		b.ReportMetric(float64(largest), "B/largest")
	})
	b.Run("restore", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := evaluator.NewEngine(fleetOptions())
			if err != nil {
				b.Fatal(err)
			}
			if err := r.Restore(chunks); err != nil {
				b.Fatal(err)
			}
			if r.Streams() != int(n) {
				b.Fatalf("got %d streams, want %.0f", r.Streams(), n)
			}
		}
	})
	runtime.KeepAlive(e)
}

// BenchmarkTrackedSample is one sample of a feature with two slices.
func BenchmarkTrackedSample(b *testing.B) {
	e, err := evaluator.NewEngine(evaluator.EngineOptions{Features: bot(quality.MonitorSpec{Slices: []string{"language", "model"}})})
	if err != nil {
		b.Fatal(err)
	}
	samples := traffic(1, stage{n: 4096, pass: .95, mix: map[string]float64{"de": .3, "en": .6, "fr": .1}, model: "m1"})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := samples[i%len(samples)]
		s.ID = ""
		e.Observe(s, uint64(i))
	}
}
