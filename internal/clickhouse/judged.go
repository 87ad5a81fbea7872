package clickhouse

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Judged returns the samples that a judge scored in a period, with the labels that people gave them for the
// metric human, the newest first, at most limit. Scores that failed, canaries and anchors are left out. A
// label is a score of kind human, also one that is set aside because the metric has scores of its own; of
// two by one person the higher counts.
func (s *Store) Judged(ctx context.Context, feature, metric, human string, from, to time.Time, limit int) ([]quality.Judged, error) {
	return collect(ctx, s, "pairing judge and labels", `
		SELECT j.sample_id, j.at, j.version, j.value, j.weight, h.people, h.marks FROM (
			SELECT sample_id, max(time) AS at, version, argMax(value, time) AS value, any(weight) AS weight FROM scores
			WHERE feature = ? AND metric = ? AND scorer = 'judge' AND error = '' AND source = ''
				AND time >= fromUnixTimestamp64Micro(?) AND time < fromUnixTimestamp64Micro(?)
			GROUP BY sample_id, version ORDER BY at DESC, sample_id, version LIMIT ?
		) AS j LEFT JOIN (
			SELECT sample_id, groupArray(by) AS people, groupArray(mark) AS marks FROM (
				SELECT sample_id, by, max(value) AS mark FROM scores
				WHERE feature = ? AND metric = ? AND scorer = 'human' AND error = '' AND source = ''
					AND time >= fromUnixTimestamp64Micro(?) AND time < fromUnixTimestamp64Micro(?)
				GROUP BY sample_id, by ORDER BY sample_id, by
			) GROUP BY sample_id
		) AS h ON h.sample_id = j.sample_id
		ORDER BY j.at DESC, j.sample_id, j.version`,
		readJudged, feature, metric, from.UnixMicro(), to.UnixMicro(), limit, feature, human, from.UnixMicro(), to.UnixMicro())
}

func readJudged(r driver.Rows) (x quality.Judged, err error) {
	var people []string
	var marks []float64
	if err := r.Scan(&x.Sample, &x.Time, &x.Version, &x.Value, &x.Weight, &people, &marks); err != nil {
		return x, err
	}
	for i := range min(len(people), len(marks)) {
		x.Labels = append(x.Labels, quality.HumanLabel{By: people[i], Value: marks[i]})
	}
	return x, nil
}
