package collector

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Queued returns how many jobs wait.
func Queued(c *Collector) int { return c.door.queue.len() }

// Sweep forgets what is past the retention at now.
func Sweep(ctx context.Context, c *Collector, now time.Time) (int, error) {
	return c.ids.sweep(ctx, unixDay(now))
}

// Decode reads one record.
func Decode(record []byte) error {
	var d decoder[quality.Sample]
	_, err := d.decode(record)
	return err
}

// DecodeTraces reads an OTLP request.
func DecodeTraces(data []byte, media string) error {
	return decodeOTLP(ptraceotlp.NewExportRequest(), data, media)
}

// Backoff is the writer's.
var Backoff = backoff
