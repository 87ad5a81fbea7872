package config

import (
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// minQuiet is the shortest quiet period: a shorter one has not seen a whole day.
const minQuiet = 24 * time.Hour

// checkLastGood checks when a baseline is promoted by itself.
func (d *decoder) checkLastGood(s *quality.LastGoodSpec, path string) {
	if s == nil || d.failed(path) {
		return
	}
	if d.has(path+".quiet") && !d.failed(path+".quiet") && s.Quiet < minQuiet {
		d.bad(path+".quiet", "want a day or more")
	}
	if d.has(path+".n") && !d.failed(path+".n") && (s.N < quality.MinBaseline || s.N > quality.MaxBaseline) {
		d.bad(path+".n", "want %d to %d", quality.MinBaseline, quality.MaxBaseline)
	}
}
