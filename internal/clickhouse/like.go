package clickhouse

import (
	"context"

	"github.com/asgood-dev/asgood/internal/quality"
)

// FirstLike returns the earliest sample of a period that has the feature and the input of another and an answer
// without an error, or an error of kind not found. Like a sample of a canary is only what the same prompt of
// the same canary was answered, and like another only what was asked in production. A zero From is the beginning.
func (s *Store) FirstLike(ctx context.Context, x *quality.Sample, p quality.Period) (quality.Sample, error) {
	canary, prompt := "", ""
	if x.Source == quality.SourceCanary {
		canary, prompt = x.Attributes["canary"], x.Attributes["prompt_id"]
	}
	list, err := collect(ctx, s, "looking for the first answer to an input", "SELECT "+sampleFields+` FROM samples
		WHERE feature = ? AND time >= fromUnixTimestamp64Micro(?) AND time < fromUnixTimestamp64Micro(?)
			AND input = ? AND input_chat = ? AND output != '' AND error = '' AND id != ? AND (source = ?) = ?
			AND (? = '' OR attributes['canary'] = ? AND attributes['prompt_id'] = ?)
		ORDER BY time, id LIMIT 1`,
		readSample, x.Feature, max(0, p.From.UnixMicro()), p.To.UnixMicro(), contentText(x.Input), x.Input.Messages != nil, x.ID,
		quality.SourceCanary, x.Source == quality.SourceCanary, canary, canary, prompt)
	if err != nil {
		return quality.Sample{}, err
	}
	if len(list) == 0 {
		return quality.Sample{}, quality.Errorf(quality.KindNotFound, "no earlier answer to the input of sample %.80q", x.ID)
	}
	return list[0], nil
}
