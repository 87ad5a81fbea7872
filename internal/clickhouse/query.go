package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/asgood-dev/asgood/internal/quality"
)

// collect runs a query and reads its rows.
func collect[T any](ctx context.Context, s *Store, what, query string, read func(driver.Rows) (T, error), args ...any) (out []T, err error) {
	rows, err := s.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, failed(err, "%s", what)
	}
	defer func() {
		if cerr := rows.Close(); err == nil && cerr != nil {
			err = failed(cerr, "%s", what)
		}
	}()
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, failed(err, "%s", what)
	}
	return out, nil
}

// ScoreDays sums the scores of every metric by day of loc. Both ends are midnights of loc; to is not included.
func (s *Store) ScoreDays(ctx context.Context, loc *time.Location, from, to time.Time) ([]quality.ScoreDay, error) {
	return collect(ctx, s, "summing scores by day", `
		SELECT feature, metric, toDate(quarter, ?) AS day, sum(n), sum(failed), sum(w) AS w, sum(wv) AS wv, sum(wvv) AS wvv
		FROM score_quarters WHERE quarter >= fromUnixTimestamp(?) AND quarter < fromUnixTimestamp(?)
		GROUP BY feature, metric, day ORDER BY feature, metric, day`,
		scoreDay(loc), loc.String(), from.Unix(), to.Unix())
}

// scoreDay reads a row of sums by day.
func scoreDay(loc *time.Location) func(driver.Rows) (quality.ScoreDay, error) {
	return func(r driver.Rows) (d quality.ScoreDay, err error) {
		var w, wv, wvv float64
		if err := r.Scan(&d.Feature, &d.Metric, &d.Day, &d.N, &d.Failed, &w, &wv, &wvv); err != nil {
			return d, err
		}
		d.Day = midnight(d.Day, loc)
		if w > 0 {
			d.Mean = wv / w
		}
		if w > 0 && d.N > 1 {
			d.SD = math.Sqrt(max(0, wvv/w-d.Mean*d.Mean) * float64(d.N) / float64(d.N-1))
		}
		return d, nil
	}
}

// midnight is the first moment of a date in loc.
func midnight(date time.Time, loc *time.Location) time.Time {
	y, m, d := date.Date()
	return quality.StartOfDay(y, m, d, loc)
}

// UptimeDays sums the availability checks of every feature by day of loc, like ScoreDays.
func (s *Store) UptimeDays(ctx context.Context, loc *time.Location, from, to time.Time) ([]quality.UptimeDay, error) {
	return collect(ctx, s, "summing checks by day", `
		SELECT feature, toDate(quarter, ?) AS day, sum(checks), sum(up)
		FROM probe_quarters WHERE quarter >= fromUnixTimestamp(?) AND quarter < fromUnixTimestamp(?)
		GROUP BY feature, day ORDER BY feature, day`,
		func(r driver.Rows) (d quality.UptimeDay, err error) {
			err = r.Scan(&d.Feature, &d.Day, &d.Checks, &d.Up)
			d.Day = midnight(d.Day, loc)
			return d, err
		}, loc.String(), from.Unix(), to.Unix())
}

// maxErrorRead is how many characters of an error are read with its score.
const maxErrorRead = 500

// Scores returns the scores of a metric in a period, the oldest first, at most limit. They come without
// explanations, which are long and which nobody compares, and with the beginnings of errors.
func (s *Store) Scores(ctx context.Context, feature, metric string, from, to time.Time, limit int) ([]quality.Score, error) {
	return collect(ctx, s, "reading scores", `
		SELECT feature, metric, time, sample_id, value, label, scorer, version, substringUTF8(error, 1, ?), weight, customer,
			source, by, late, aside, model, prompt, attributes
		FROM scores WHERE feature = ? AND metric = ? AND NOT aside AND time >= fromUnixTimestamp64Micro(?) AND time < fromUnixTimestamp64Micro(?)
		ORDER BY time, sample_id LIMIT ?`,
		func(r driver.Rows) (x quality.Score, err error) {
			err = r.Scan(&x.Feature, &x.Metric, &x.Time, &x.SampleID, &x.Value, &x.Label, &x.Scorer,
				&x.Version, &x.Error, &x.Weight, &x.Customer, &x.Source, &x.By, &x.Late, &x.Aside, &x.Model, &x.Prompt, &x.Attributes)
			return x, err
		}, maxErrorRead, feature, metric, from.UnixMicro(), to.UnixMicro(), limit)
}

const sampleFields = `feature, id, time, customer, conversation, input, input_chat, output, output_chat, reference, context,
	model, prompt, params, tools, input_tokens, output_tokens, latency_ms, error, attributes, scores, weight, source, trace`

// Sample returns one sample, or an error of kind not found.
func (s *Store) Sample(ctx context.Context, feature, id string) (quality.Sample, error) {
	list, err := collect(ctx, s, "reading a sample",
		"SELECT "+sampleFields+" FROM samples WHERE feature = ? AND id = ? ORDER BY time DESC LIMIT 1", readSample, feature, id)
	if err != nil {
		return quality.Sample{}, err
	}
	if len(list) == 0 {
		return quality.Sample{}, quality.Errorf(quality.KindNotFound, "no sample %q of feature %q", id, feature)
	}
	return list[0], nil
}

// Samples returns the samples of a feature in a period, the oldest first, at most limit.
func (s *Store) Samples(ctx context.Context, feature string, from, to time.Time, limit int) ([]quality.Sample, error) {
	return s.SamplesAfter(ctx, feature, from, "", to, limit)
}

// SamplesAfter returns the samples of a period like Samples. Of those at from it leaves out the ones whose ids
// are not behind after, so that a page may end anywhere.
func (s *Store) SamplesAfter(ctx context.Context, feature string, from time.Time, after string, to time.Time, limit int) ([]quality.Sample, error) {
	return collect(ctx, s, "reading samples", "SELECT "+sampleFields+` FROM samples
		WHERE feature = ? AND time >= fromUnixTimestamp64Micro(?) AND time < fromUnixTimestamp64Micro(?)
			AND (time > fromUnixTimestamp64Micro(?) OR id > ?)
		ORDER BY time, id LIMIT ?`,
		readSample, feature, from.UnixMicro(), to.UnixMicro(), from.UnixMicro(), after, limit)
}

// SamplesPage returns samples like SamplesAfter, of about so many bytes at most though one at least, and whether
// there may be more. What is not returned is not read: a thousand samples may be gigabytes.
func (s *Store) SamplesPage(ctx context.Context, feature string, from time.Time, after string, to time.Time, limit, bytes int) (list []quality.Sample, more bool, err error) {
	sizes, err := collect(ctx, s, "measuring samples", `
		SELECT toUInt64(length(input) + length(output) + ifNull(length(reference), 0) + length(context) + length(params) + length(tools) + length(error)) AS size
		FROM samples WHERE feature = ? AND time >= fromUnixTimestamp64Micro(?) AND time < fromUnixTimestamp64Micro(?)
			AND (time > fromUnixTimestamp64Micro(?) OR id > ?)
		ORDER BY time, id LIMIT ?`,
		func(r driver.Rows) (size uint64, err error) { return size, r.Scan(&size) },
		feature, from.UnixMicro(), to.UnixMicro(), from.UnixMicro(), after, limit)
	if err != nil || len(sizes) == 0 {
		return nil, false, err
	}
	n, sum := 1, sizes[0]
	for n < len(sizes) && sum+sizes[n] <= uint64(max(bytes, 0)) {
		sum += sizes[n]
		n++
	}
	list, err = s.SamplesAfter(ctx, feature, from, after, to, n)
	return list, n < len(sizes) || len(sizes) == limit, err
}

func readSample(r driver.Rows) (x quality.Sample, err error) {
	var input, output, context, params, tools string
	var inputChat, outputChat bool
	var in, out *uint64
	err = r.Scan(&x.Feature, &x.ID, &x.Time, &x.Customer, &x.Conversation, &input, &inputChat, &output, &outputChat, &x.Reference,
		&context, &x.Model, &x.Prompt, &params, &tools, &in, &out, &x.LatencyMS, &x.Error, &x.Attributes, &x.Scores, &x.Weight, &x.Source, &x.Trace)
	if err != nil {
		return x, err
	}
	if in != nil && out != nil {
		x.Usage = &quality.Usage{InputTokens: *in, OutputTokens: *out}
	}
	x.Input, x.Output = quality.Text(input), quality.Text(output)
	for _, f := range []struct {
		text string
		set  bool
		to   any
	}{
		{input, inputChat, &x.Input}, {output, outputChat, &x.Output},
		{context, context != "", &x.Context}, {params, params != "", &x.Params}, {tools, tools != "", &x.Tools},
	} {
		if !f.set {
			continue
		}
		if err := json.Unmarshal([]byte(f.text), f.to); err != nil {
			return x, fmt.Errorf("decoding sample %q: %w", x.ID, err)
		}
	}
	return x, nil
}

// Counts are the rows of every table.
type Counts struct{ Samples, Scores, Traffic, Probes uint64 }

// Counts counts the rows.
func (s *Store) Counts(ctx context.Context) (c Counts, err error) {
	err = s.conn.QueryRow(ctx, `SELECT (SELECT count() FROM samples), (SELECT count() FROM scores),
		(SELECT count() FROM traffic), (SELECT count() FROM probes)`).Scan(&c.Samples, &c.Scores, &c.Traffic, &c.Probes)
	if err != nil {
		return c, failed(err, "counting rows")
	}
	return c, nil
}
