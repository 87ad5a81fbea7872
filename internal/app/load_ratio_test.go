package app_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector"
)

// BenchmarkIngestRatio compares ingest with "decode only (same parse, no store)" in one run.
//
// Decode only is a dry run of the same requests: the same senders on the same machine, the same listener, gate,
// limits, reading of bodies, decoding, checks and reply, in the same program, and nothing behind it: no redaction,
// no index of ids, no bus, no store. So both sides pay for the senders and for HTTP, and the ratio says what
// durability, redaction, scoring and storing cost beside that. A loop that only decodes (BenchmarkDecodeOnly) has a
// processor to itself and no sender; the ratio to it, on as many processors, is told too.
//
// Both sides take turns, so that a machine that others use too slows down both. acknowledged is what the senders
// see, each sample on disk; stored counts the time until every sample and every score of it is in the embedded
// store, which is what can go on for ever.
func BenchmarkIngestRatio(b *testing.B) {
	for _, tt := range []struct{ name, more string }{
		{"plain", "    redact: []\n"},
		{"redacted", ""},
	} {
		b.Run(tt.name, func(b *testing.B) {
			r := ratio{load: startLoad(b, tt.more)}
			r.turn(0, min(b.N, 100)) // connections, caches, the first tables
			r.decode, r.acknowledged, r.stored, r.decodeCPU, r.ingestCPU = 0, 0, 0, 0, 0
			b.ResetTimer()
			n := max(b.N/ratioTurns, 1)
			for i := range ratioTurns {
				r.turn(100+i*n, 100+(i+1)*n)
			}
			r.report(ratioTurns * n)
		})
	}
}

const ratioTurns = 4

// ratio adds up both sides.
type ratio struct {
	*load
	sent                         int // samples taken in
	decode, acknowledged, stored time.Duration
	decodeCPU, ingestCPU         time.Duration
}

// turn sends the same requests to both sides.
func (r *ratio) turn(from, to int) {
	req := request{path: "/v1/samples", contentType: "application/x-ndjson", body: loadBody, from: from, to: to, dry: true}
	began, cpu := time.Now(), cpuTime()
	r.sendAll(req, 0)
	r.decode += time.Since(began)
	r.decodeCPU += cpuTime() - cpu
	req.dry, began, cpu = false, time.Now(), cpuTime()
	r.sendAll(req, 0)
	r.acknowledged += time.Since(began)
	r.sent += (to - from) * loadBatch
	r.await()
	r.stored += time.Since(began)
	r.ingestCPU += cpuTime() - cpu
	if r.b.Failed() {
		r.b.FailNow()
	}
}

// await waits until the samples and their scores are in the store.
func (r *ratio) await() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * time.Minute); ; <-tick.C {
		m := get("http://" + r.app.Addr("internal") + "/metrics")
		samples, scores := metricOf(m, `asgood_writer_rows_total{of="SAMPLES"}`), metricOf(m, `asgood_writer_rows_total{of="SCORES"}`)
		if samples >= float64(r.sent) && scores >= float64(loadScorers*r.sent) {
			return
		}
		if time.Now().After(end) {
			r.b.Fatalf("got %v samples and %v scores stored of %d samples", samples, scores, r.sent)
		}
	}
}

func (r *ratio) report(requests int) {
	n := float64(requests * loadBatch)
	loop := decodeRate(r.b)
	decoded, acknowledged, stored := n/r.decode.Seconds(), n/r.acknowledged.Seconds(), n/r.stored.Seconds()
	r.b.ReportMetric(decoded, "decoded/s")
	r.b.ReportMetric(acknowledged, "acknowledged/s")
	r.b.ReportMetric(stored, "stored/s")
	r.b.ReportMetric(acknowledged/decoded, "ratio")
	r.b.ReportMetric(stored/decoded, "ratio-stored")
	r.b.ReportMetric(acknowledged/loop, "ratio-to-loop")
	r.b.ReportMetric(float64(r.decodeCPU.Microseconds())/n, "cpu-us/decoded")
	r.b.ReportMetric(float64(r.ingestCPU.Microseconds())/n, "cpu-us/sample")
	r.b.ReportMetric(residentMB(), "MB-resident")
	r.b.ReportMetric(0, "ns/op")
}

// decodeRate is how many samples a second one goroutine decodes.
func decodeRate(b *testing.B) float64 {
	var buf bytes.Buffer
	loadBody(&buf, 0)
	began, n := time.Now(), 0
	for time.Since(began) < 500*time.Millisecond {
		n += decodeAll(b, buf.Bytes())
	}
	return float64(n) / time.Since(began).Seconds()
}

func decodeAll(b *testing.B, body []byte) (n int) {
	for _, err := range collector.ReadSamples(bytes.NewReader(body)) {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	if n != loadBatch {
		b.Fatal(n)
	}
	return n
}

// BenchmarkDecodeOnly parses the same requests in a loop, in one goroutine, without a server or a sender.
func BenchmarkDecodeOnly(b *testing.B) {
	var buf bytes.Buffer
	loadBody(&buf, 0)
	b.SetBytes(int64(buf.Len()))
	for b.Loop() {
		decodeAll(b, buf.Bytes())
	}
	b.ReportMetric(float64(b.N)*loadBatch/b.Elapsed().Seconds(), "samples/s")
}
