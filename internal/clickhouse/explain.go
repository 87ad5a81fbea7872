package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The queries by which a regression is explained. They read the scores that count in the figures: those of
// canaries and those aside do not, unless the slice asks for canaries.

// condition is a part of a query with its arguments.
type condition struct {
	text string
	args []any
}

// attributeColumn is an expression for the value of an attribute.
func attributeColumn(name string) condition {
	switch name {
	case "customer", "model", "prompt", "source":
		return condition{text: "toString(" + name + ")"}
	case quality.AttributeVersion:
		return condition{text: "concat(toString(scorer), ' ', toString(version))"}
	default:
		return condition{"attributes[?]", []any{name}}
	}
}

// chosen is the condition that a score is meant by the query. Its time is anywhere from the beginning of
// the first period to the end of the second.
func chosen(q quality.ScoreQuery) condition {
	c := condition{"feature = ? AND metric = ? AND error = '' AND NOT aside", []any{q.Feature, q.Metric}}
	c.text += " AND time >= fromUnixTimestamp64Micro(?) AND time < fromUnixTimestamp64Micro(?)"
	c.args = append(c.args, q.Before.From.UnixMicro(), q.After.To.UnixMicro())
	if q.Slice["source"] != quality.SourceCanary {
		c.text += " AND source != '" + quality.SourceCanary + "'"
	}
	for name, value := range q.Slice {
		a := attributeColumn(name)
		c.text += " AND " + a.text + " = ?"
		c.args = append(append(c.args, a.args...), value)
	}
	return c
}

// side is 0 before, 1 after, and 2 between the periods.
func side(q quality.ScoreQuery) condition {
	return condition{"multiIf(time < fromUnixTimestamp64Micro(?), 0, time >= fromUnixTimestamp64Micro(?), 1, 2)",
		[]any{q.Before.To.UnixMicro(), q.After.From.UnixMicro()}}
}

// sums are the columns of a quality.Sums of rows.
const sums = `count() AS n, sum(weight) AS w, sum(weight * value) AS wv, sum(weight * value * value) AS wvv,
	sum(weight * weight) AS ww, sum(weight * weight * value) AS wwv, sum(weight * weight * value * value) AS wwvv`

// sideSums add such columns up by side.
func sideSums() string {
	var out []string
	for s := range 2 {
		for _, c := range []string{"n", "w", "wv", "wvv", "ww", "wwv", "wwvv"} {
			out = append(out, fmt.Sprintf("sumIf(%s, side = %d) AS %s%d", c, s, c, s))
		}
	}
	return strings.Join(out, ", ")
}

func into(s *quality.Sums) []any { return []any{&s.N, &s.W, &s.WV, &s.WVV, &s.WW, &s.WWV, &s.WWVV} }

// fewValues is how many values an attribute may have among the latest scores to be asked by, and
// mostAttributes how many attributes are.
const (
	fewValues      = 50
	mostAttributes = 16
	latestScores   = 20_000
)

// ScoreAttributes returns the names of attributes with few values among the latest scores, the most common
// first, at most 16.
func (s *Store) ScoreAttributes(ctx context.Context, q quality.ScoreQuery) ([]string, error) {
	c := chosen(q)
	return collect(ctx, s, "listing the attributes of scores", fmt.Sprintf(`
		SELECT k FROM (SELECT attributes FROM scores WHERE %s ORDER BY time DESC LIMIT %d)
		ARRAY JOIN mapKeys(attributes) AS k, mapValues(attributes) AS v
		GROUP BY k HAVING uniqExact(v) <= %d ORDER BY count() DESC, k LIMIT %d`, c.text, latestScores, fewValues, mostAttributes),
		func(r driver.Rows) (k string, err error) { return k, r.Scan(&k) }, c.args...)
}

// ScoreCells sums the scores by each value of each attribute, and those of all under the attribute "". Of an
// attribute with more than most values the largest are given; those that are missing are what is left of all.
func (s *Store) ScoreCells(ctx context.Context, q quality.ScoreQuery, attributes []string, most int) ([]quality.ScoreCell, error) {
	c, by := chosen(q), side(q)
	pairs := []string{"('', '')"}
	var pairArgs []any
	for _, name := range attributes {
		a := attributeColumn(name)
		pairs = append(pairs, "(?, "+a.text+")")
		pairArgs = append(append(pairArgs, name), a.args...)
	}
	// Scores that are alike in all attributes are summed first: there are far fewer of those than scores.
	query := fmt.Sprintf(`
		SELECT pair.1 AS attribute, pair.2 AS value, min(first), %s
		FROM (SELECT [%s] AS pairs, %s AS side, min(time) AS first, %s FROM scores WHERE %s GROUP BY pairs, side)
		ARRAY JOIN pairs AS pair
		GROUP BY attribute, value ORDER BY attribute, n0 + n1 DESC, value LIMIT %d BY attribute`,
		sideSums(), strings.Join(pairs, ", "), by.text, sums, c.text, max(most, 1))
	args := append(append(pairArgs, by.args...), c.args...)
	return collect(ctx, s, "summing scores by attribute", query, func(r driver.Rows) (x quality.ScoreCell, err error) {
		err = r.Scan(append(append([]any{&x.Attribute, &x.Value, &x.First}, into(&x.Before)...), into(&x.After)...)...)
		return x, err
	}, args...)
}

// ScoreSplit sums the scores by the values of one attribute, apart by whether another has a value.
func (s *Store) ScoreSplit(ctx context.Context, q quality.ScoreQuery, by, attribute, value string, most int) ([]quality.SplitCell, error) {
	c, half, group, with := chosen(q), side(q), attributeColumn(by), attributeColumn(attribute)
	query := fmt.Sprintf(`
		SELECT value_of, with, %s
		FROM (SELECT %s AS value_of, %s = ? AS with, %s AS side, %s FROM scores WHERE %s GROUP BY value_of, with, side)
		GROUP BY value_of, with ORDER BY n0 + n1 DESC, value_of, with LIMIT %d`,
		sideSums(), group.text, with.text, half.text, sums, c.text, max(most, 1))
	var args []any
	for _, a := range [][]any{group.args, with.args, {value}, half.args, c.args} {
		args = append(args, a...)
	}
	return collect(ctx, s, "summing scores with and without a value", query, func(r driver.Rows) (x quality.SplitCell, err error) {
		var with uint8
		err = r.Scan(append(append([]any{&x.Value, &with}, into(&x.Before)...), into(&x.After)...)...)
		x.With = with == 1
		return x, err
	}, args...)
}

// ScoreSteps sums the scores of a period in so many steps of equal length.
func (s *Store) ScoreSteps(ctx context.Context, q quality.ScoreQuery, p quality.Period, steps int) ([]quality.ScoreStep, error) {
	q.Before, q.After = p, p
	c := chosen(q)
	long := max(1, p.To.Sub(p.From).Microseconds()/int64(max(steps, 1))+1)
	args := append([]any{p.From.UnixMicro(), long}, c.args...)
	return collect(ctx, s, "summing scores by time", `
		SELECT intDiv(toUnixTimestamp64Micro(time) - toInt64(?), toInt64(?)) AS step, `+sums+` FROM scores WHERE `+c.text+` GROUP BY step ORDER BY step`,
		func(r driver.Rows) (x quality.ScoreStep, err error) {
			var step int64
			err = r.Scan(append([]any{&step}, into(&x.Sums)...)...)
			x.From = p.From.Add(time.Duration(step*long) * time.Microsecond)
			x.To = x.From.Add(time.Duration(long) * time.Microsecond)
			return x, err
		}, args...)
}

// ExtremeScores returns the scored samples of a period whose scores are worst, or best, at most a few for
// each customer and each canary prompt, with the beginning of their inputs. A sample whose text is gone has
// an empty input.
func (s *Store) ExtremeScores(ctx context.Context, q quality.ScoreQuery, p quality.Period, best bool, each, most int) ([]quality.ScoredSample, error) {
	q.Before, q.After = p, p
	c := chosen(q)
	order := "ASC"
	if (q.Worse == quality.WorseHigher) != best {
		order = "DESC"
	}
	// The hash chooses among equals, of which there may be many, without favour.
	query := fmt.Sprintf(`
		SELECT sample_id, time, value, toString(customer) AS c, attributes FROM scores WHERE %s
		ORDER BY value %s, cityHash64(sample_id) LIMIT %d BY c, attributes['prompt_id'] LIMIT %d`, c.text, order, max(each, 1), max(most, 1))
	list, err := collect(ctx, s, "reading extreme scores", query, func(r driver.Rows) (x quality.ScoredSample, err error) {
		return x, r.Scan(&x.ID, &x.Time, &x.Value, &x.Customer, &x.Attributes)
	}, c.args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list, s.addInputs(ctx, q.Feature, list)
}

// addInputs reads the beginnings of inputs. A sample is found by its time, which the table is sorted by.
func (s *Store) addInputs(ctx context.Context, feature string, list []quality.ScoredSample) error {
	times, ids := keysOf(list)
	type input struct{ id, text string }
	inputs, err := collect(ctx, s, "reading the inputs of samples", `
		SELECT id, substringUTF8(input, 1, 2000) FROM samples
		WHERE feature = ? AND time IN (SELECT fromUnixTimestamp64Micro(arrayJoin(?))) AND id IN (?)`,
		func(r driver.Rows) (x input, err error) { return x, r.Scan(&x.id, &x.text) }, feature, times, ids)
	if err != nil {
		return err
	}
	by := make(map[string]string, len(inputs))
	for _, x := range inputs {
		by[x.id] = x.text
	}
	for i := range list {
		list[i].Input = by[list[i].ID]
	}
	return nil
}

// SamplesOf returns the samples of scored ones, those that are left of them, in no order.
func (s *Store) SamplesOf(ctx context.Context, feature string, list []quality.ScoredSample) ([]quality.Sample, error) {
	if len(list) == 0 {
		return nil, nil
	}
	times, ids := keysOf(list)
	return collect(ctx, s, "reading samples by id", "SELECT "+sampleFields+` FROM samples
		WHERE feature = ? AND time IN (SELECT fromUnixTimestamp64Micro(arrayJoin(?))) AND id IN (?) LIMIT 1 BY id`,
		readSample, feature, times, ids)
}

// keysOf are the times and ids of samples, by both of which the store finds them fast.
func keysOf(list []quality.ScoredSample) (times []int64, ids []string) {
	for _, x := range list {
		times, ids = append(times, x.Time.UnixMicro()), append(ids, x.ID)
	}
	return times, ids
}
