package clickhouse

import (
	"context"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// CustomerDays sums the scores of one customer by feature, metric and day of loc. Both ends are midnights of
// loc; to is not included.
func (s *Store) CustomerDays(ctx context.Context, customer string, loc *time.Location, from, to time.Time) ([]quality.ScoreDay, error) {
	return collect(ctx, s, "summing a customer's scores by day", `
		SELECT feature, metric, toDate(quarter, ?) AS day, sum(n), sum(failed), sum(w) AS w, sum(wv) AS wv, sum(wvv) AS wvv
		FROM score_customers WHERE customer = ? AND quarter >= fromUnixTimestamp(?) AND quarter < fromUnixTimestamp(?)
		GROUP BY feature, metric, day ORDER BY feature, metric, day`,
		scoreDay(loc), loc.String(), customer, from.Unix(), to.Unix())
}
