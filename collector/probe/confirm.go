package probe

import (
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Result is what one check found.
type Result struct {
	quality.ProbeResult
	Unknown bool // the check could not be made or saw too little: neither up nor down; Error says why
}

// Confirm returns the state of a probe after a check. downs failed checks in a row are down, since the
// first of them; what is down is up again after ups good ones in a row, since the first of them. Without a
// state before, one good check is up. Checks are in a row when no opposite one is between them.
//
// An unknown check ends up, because nothing shows it any more, and does not end down: only a good check
// shows that an outage is over.
func Confirm(prev quality.ProbeStatus, r Result, downs, ups int) quality.ProbeStatus {
	next := prev
	next.Feature, next.Probe, next.CheckedAt, next.Error = r.Feature, r.Probe, r.Time, r.Error
	switch {
	case r.Unknown:
		if prev.State == quality.Up {
			next.State, next.Since = quality.UpUnknown, r.Time
		}
	case r.Up:
		confirmUp(&next, r.Time, ups)
	default:
		confirmDown(&next, r.Time, downs)
	}
	return next
}

func confirmUp(s *quality.ProbeStatus, at time.Time, need int) {
	s.Failures, s.FailedAt = 0, time.Time{}
	if s.State == quality.Up {
		return
	}
	s.Successes++
	if s.Successes == 1 {
		s.SucceededAt = at
	}
	if s.State == quality.UpUnknown || s.Successes >= need {
		s.State, s.Since = quality.Up, s.SucceededAt
		s.Successes, s.SucceededAt = 0, time.Time{}
	}
}

func confirmDown(s *quality.ProbeStatus, at time.Time, need int) {
	s.Successes, s.SucceededAt = 0, time.Time{}
	s.Failures++
	if s.Failures == 1 {
		s.FailedAt = at
	}
	if s.Failures >= need && s.State != quality.Down {
		s.State, s.Since = quality.Down, s.FailedAt
	}
}
