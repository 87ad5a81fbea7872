package clickhouse

import (
	"context"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// CustomerDays sums the scores of one customer by feature, metric and day of loc. Samples may carry any of its names;
// there must be one. Both ends are midnights of loc; to is not included.
func (s *Store) CustomerDays(ctx context.Context, names []string, loc *time.Location, from, to time.Time) ([]quality.ScoreDay, error) {
	return collect(ctx, s, "summing a customer's scores by day", `
		SELECT feature, metric, toDate(quarter, ?) AS day, sum(n), sum(failed), sum(w) AS w, sum(wv) AS wv, sum(wvv) AS wvv
		FROM score_customers WHERE customer IN (?) AND quarter >= fromUnixTimestamp(?) AND quarter < fromUnixTimestamp(?)
		GROUP BY feature, metric, day ORDER BY feature, metric, day`,
		scoreDay(loc), loc.String(), names, from.Unix(), to.Unix())
}
