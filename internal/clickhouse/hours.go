package clickhouse

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/asgood-dev/asgood/internal/quality"
)

// ScoreHours sums the scores of every metric by hour and version of the scorer, in order of feature, metric
// and hour. The quarter hour in which from or to lies counts wholly.
func (s *Store) ScoreHours(ctx context.Context, from, to time.Time) ([]quality.ScoreHour, error) {
	return collect(ctx, s, "summing scores by hour", `
		SELECT feature, metric, version, toStartOfHour(quarter) AS hour, sum(n), sum(w), sum(wv), sum(wvv), sum(ww)
		FROM score_quarters WHERE quarter >= fromUnixTimestamp(?) AND quarter <= fromUnixTimestamp(?)
		GROUP BY feature, metric, version, hour ORDER BY feature, metric, hour, version`,
		func(r driver.Rows) (h quality.ScoreHour, err error) {
			err = r.Scan(&h.Feature, &h.Metric, &h.Version, &h.Hour, &h.N, &h.W, &h.WV, &h.WVV, &h.WW)
			return h, err
		}, from.Unix(), to.Unix())
}

// Conversations returns the conversations of a feature whose latest turn is in a period, and that had their
// first turn since begin at the earliest, by id and customer and at most limit, after one of them.
func (s *Store) Conversations(ctx context.Context, feature string, begin, from, to time.Time, after quality.ConversationKey, limit int) ([]quality.ConversationKey, error) {
	return collect(ctx, s, "listing conversations", `
		SELECT conversation, customer FROM samples
		WHERE feature = ? AND conversation != '' AND (conversation, customer) > (?, ?) AND source = '' AND time >= fromUnixTimestamp64Micro(?)
		GROUP BY conversation, customer HAVING max(time) >= fromUnixTimestamp64Micro(?) AND max(time) < fromUnixTimestamp64Micro(?)
		ORDER BY conversation, customer LIMIT ?`,
		func(r driver.Rows) (k quality.ConversationKey, err error) {
			err = r.Scan(&k.Conversation, &k.Customer)
			return k, err
		}, feature, after.Conversation, after.Customer, begin.UnixMicro(), from.UnixMicro(), to.UnixMicro(), limit)
}

// Turns returns the samples of a conversation behind a place, the oldest first, at most limit. The place is a
// time and an id; no id stands before all samples of that time.
func (s *Store) Turns(ctx context.Context, feature string, k quality.ConversationKey, since time.Time, after string, limit int) ([]quality.Sample, error) {
	return collect(ctx, s, "reading a conversation", "SELECT "+sampleFields+` FROM samples
		WHERE feature = ? AND conversation = ? AND customer = ? AND source = ''
			AND time >= fromUnixTimestamp64Micro(?) AND (time, id) > (fromUnixTimestamp64Micro(?), ?) ORDER BY time, id LIMIT ?`,
		readSample, feature, k.Conversation, k.Customer, since.UnixMicro(), since.UnixMicro(), after, limit)
}
