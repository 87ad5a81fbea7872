package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/asgood-dev/asgood/internal/quality"
)

// excerptLen is how much of an output stands in a list, in characters.
const excerptLen = 240

// conditions are the parts of a WHERE with their arguments.
type conditions struct {
	text []string
	args []any
}

func (c *conditions) add(text string, args ...any) {
	c.text, c.args = append(c.text, text), append(c.args, args...)
}

func (c *conditions) String() string { return strings.Join(c.text, " AND ") }

// FindSamples returns the samples that a query chooses, with the beginnings of their outputs.
func (s *Store) FindSamples(ctx context.Context, q quality.SampleQuery) ([]quality.FoundSample, error) {
	var c conditions
	c.add("feature = ?", q.Feature)
	c.add("time >= fromUnixTimestamp64Micro(?) AND time < fromUnixTimestamp64Micro(?)", q.From.UnixMicro(), q.To.UnixMicro())
	if q.Customer != "" {
		c.add("customer = ?", q.Customer)
	}
	if q.Metric != "" {
		return s.findByScore(ctx, q, c)
	}
	return collect(ctx, s, "looking for samples", fmt.Sprintf(`
		SELECT id, time, toString(customer), toString(model), toString(prompt), toString(source), substringUTF8(output, 1, %d)
		FROM samples WHERE %s ORDER BY time DESC, id LIMIT %d`, excerptLen, &c, max(q.Limit, 1)),
		func(r driver.Rows) (x quality.FoundSample, err error) {
			return x, r.Scan(&x.ID, &x.Time, &x.Customer, &x.Model, &x.Prompt, &x.Source, &x.Excerpt)
		}, c.args...)
}

// findByScore looks among the scores of a metric, which are fewer and smaller than the samples.
func (s *Store) findByScore(ctx context.Context, q quality.SampleQuery, c conditions) ([]quality.FoundSample, error) {
	c.add("metric = ? AND NOT aside", q.Metric)
	c.add(map[bool]string{true: "error != ''", false: "error = ''"}[q.Failed])
	if q.Least != nil {
		c.add("value >= ?", *q.Least)
	}
	if q.Most != nil {
		c.add("value <= ?", *q.Most)
	}
	order := map[quality.SampleOrder]string{quality.LowestFirst: "value, ", quality.HighestFirst: "value DESC, "}[q.Order]
	list, err := collect(ctx, s, "looking for scored samples", fmt.Sprintf(`
		SELECT sample_id, time, toString(customer), toString(model), toString(prompt), toString(source), value, error
		FROM scores WHERE %s ORDER BY %stime DESC, sample_id LIMIT 1 BY sample_id LIMIT %d`, &c, order, max(q.Limit, 1)),
		func(r driver.Rows) (x quality.FoundSample, err error) {
			var v float64
			if err := r.Scan(&x.ID, &x.Time, &x.Customer, &x.Model, &x.Prompt, &x.Source, &v, &x.Error); err != nil {
				return x, err
			}
			if x.Error == "" {
				x.Value = &v
			}
			return x, nil
		}, c.args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list, s.addExcerpts(ctx, q.Feature, list)
}

// addExcerpts reads the beginnings of outputs. A sample is found by its time, which the table is sorted by.
func (s *Store) addExcerpts(ctx context.Context, feature string, list []quality.FoundSample) error {
	keys := make([]quality.ScoredSample, len(list))
	for i := range list {
		keys[i] = quality.ScoredSample{ID: list[i].ID, Time: list[i].Time}
	}
	times, ids := keysOf(keys)
	type excerpt struct{ id, text string }
	found, err := collect(ctx, s, "reading the outputs of samples", fmt.Sprintf(`
		SELECT id, substringUTF8(output, 1, %d) FROM samples
		WHERE feature = ? AND time IN (SELECT fromUnixTimestamp64Micro(arrayJoin(?))) AND id IN (?)`, excerptLen),
		func(r driver.Rows) (x excerpt, err error) { return x, r.Scan(&x.id, &x.text) }, feature, times, ids)
	if err != nil {
		return err
	}
	by := make(map[string]string, len(found))
	for _, x := range found {
		by[x.id] = x.text
	}
	for i := range list {
		list[i].Excerpt = by[list[i].ID]
	}
	return nil
}

// maxOfSample bounds the scores of one sample: anybody may send some.
const maxOfSample = 1000

// ScoresOf returns all scores of a sample, also those that are set aside.
func (s *Store) ScoresOf(ctx context.Context, x *quality.Sample) ([]quality.Score, error) {
	return collect(ctx, s, "reading the scores of a sample", fmt.Sprintf(`
		SELECT metric, value, label, explanation, scorer, version, error, weight, by, late, aside
		FROM scores WHERE feature = ? AND time = fromUnixTimestamp64Micro(?) AND sample_id = ? ORDER BY metric, version, by LIMIT %d`, maxOfSample),
		func(r driver.Rows) (v quality.Score, err error) {
			err = r.Scan(&v.Metric, &v.Value, &v.Label, &v.Explanation, &v.Scorer, &v.Version, &v.Error, &v.Weight, &v.By, &v.Late, &v.Aside)
			v.Feature, v.SampleID, v.Time = x.Feature, x.ID, x.Time
			return v, err
		}, x.Feature, x.Time.UnixMicro(), x.ID)
}

// SamplesNamed returns the samples of an id over all features, at most limit.
func (s *Store) SamplesNamed(ctx context.Context, id string, limit int) ([]quality.SampleKey, error) {
	return collect(ctx, s, "looking for a sample", `SELECT toString(feature), id FROM samples WHERE id = ? ORDER BY feature LIMIT 1 BY feature LIMIT ?`,
		func(r driver.Rows) (k quality.SampleKey, err error) { return k, r.Scan(&k.Feature, &k.ID) }, id, limit)
}
