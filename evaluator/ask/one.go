package ask

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/evaluator/remote"
	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	maxTries       = 4 // of one sample
	maxScores      = 20
	maxLabel       = 128
	maxExplanation = 4 << 10
)

// one returns the scores of a chosen sample. Each ends in scores or in a failed score, but while the budget is
// used up, which one failed score a minute says. It returns nothing when ctx ends.
func (s *Stage) one(ctx context.Context, it *item, rate float64) []quality.Score {
	if it.sample.Output.IsZero() && it.sample.Error == "" {
		return nil // a turn that only calls tools has no output yet
	}
	scores := s.scoresOf(ctx, it)
	if ctx.Err() != nil {
		return nil
	}
	for i := range scores {
		s.tidy(&scores[i])
		scores[i].Weight = it.sample.KeptWeight() / rate
		s.count(&scores[i])
	}
	return scores
}

func (s *Stage) count(sc *quality.Score) {
	outcome := "scored"
	if sc.Failed() {
		outcome = "failed"
	}
	s.meter.scores.WithLabelValues(s.meter.with(outcome)...).Inc()
	s.purse.note(func(d *Day) {
		if sc.Failed() {
			d.Failed++
		} else {
			d.Scored++
		}
	})
}

func (s *Stage) scoresOf(ctx context.Context, it *item) []quality.Score {
	if it.sample.Output.IsZero() {
		return s.failed(it, "no output to score: the sample carries an error")
	}
	if !time.Now().Before(it.deadline) { // of the clock that the stream has, not that of the samples
		return s.passOver(it, PassedLate, fmt.Sprintf("passed over: it waited more than %s", s.o.Spec.Patience))
	}
	var had bool
	err := s.retry(ctx, "saving the budget of a scorer", func(ctx context.Context) (err error) {
		had, err = s.purse.reserve(ctx)
		return err
	})
	if err != nil {
		return nil
	}
	if !had {
		return s.noBudget(it)
	}
	defer s.purse.release()
	return s.tries(ctx, it)
}

// noBudget passes a sample over, and says so once a minute.
func (s *Stage) noBudget(it *item) []quality.Score {
	until, now := s.purse.tell()
	scores := s.passOver(it, PassedBudget, fmt.Sprintf("passed over: the budget of %s is used up until %s",
		s.o.Spec.Budget, until.In(s.o.Location).Format("2006-01-02 15:04")))
	if !now {
		return nil
	}
	s.log.Warn("the budget of a scorer is used up", "budget", s.o.Spec.Budget.String(), "until", until)
	return scores
}

func (s *Stage) passOver(it *item, reason, text string) []quality.Score {
	s.meter.passed.WithLabelValues(s.meter.with(reason)...).Inc()
	s.purse.note(func(d *Day) { d.Passed[reason]++ })
	return s.failed(it, text)
}

func (s *Stage) failed(it *item, text string) []quality.Score {
	sc := quality.NewScore(&it.sample, s.o.Spec.Name, s.o.Spec.Type, s.scorer.Version())
	sc.Error = text
	return []quality.Score{sc}
}

// tries asks until there is an answer or another try is of no use.
func (s *Stage) tries(ctx context.Context, it *item) []quality.Score {
	s.purse.note(func(d *Day) { d.Asked++ })
	s.meter.asked.WithLabelValues(s.meter.labels...).Inc()
	flying := s.meter.flying.WithLabelValues(s.meter.labels...)
	flying.Inc()
	defer flying.Dec()
	for try := 1; ; try++ {
		if !s.enter(ctx, it.deadline) {
			return s.passOver(it, PassedAway, fmt.Sprintf("passed over: the endpoint was away for more than %s", s.o.Spec.Patience))
		}
		scores, err := s.try(ctx, &it.sample)
		if ctx.Err() != nil {
			return nil
		}
		passes := remote.Passes(err)
		s.report(!passes, quality.RetryOf(err))
		switch {
		case err == nil:
			return scores
		case !passes || try == maxTries:
			return s.failed(it, err.Error())
		}
		s.meter.retries.WithLabelValues(s.meter.labels...).Inc()
		if !pause(ctx, time.Duration((0.5+rand.Float64())*float64(firstPause<<(try-1)))) {
			return nil
		}
	}
}

func (s *Stage) report(ok bool, retry time.Duration) {
	s.circuit.report(time.Now(), ok, retry)
	away := 0.0
	if !s.circuit.away().IsZero() {
		away = 1
	}
	s.meter.away.WithLabelValues(s.meter.labels...).Set(away)
}

// enter waits until a call may be made and reports whether it was in time.
func (s *Stage) enter(ctx context.Context, deadline time.Time) bool {
	for {
		wait := s.circuit.enter(time.Now())
		if wait == 0 {
			return true
		}
		if time.Now().Add(wait).After(deadline) {
			pause(ctx, max(0, min(wait, time.Until(deadline))))
			return false
		}
		if !pause(ctx, wait) {
			return false
		}
	}
}

// try asks once. A scorer that panics fails for this sample.
func (s *Stage) try(ctx context.Context, sample *quality.Sample) (scores []quality.Score, err error) {
	defer func() {
		if p := recover(); p != nil {
			scores, err = nil, quality.Errorf(quality.KindInvalid, "scorer panicked: %v", p)
		}
	}()
	scores, err = s.scorer.Score(ctx, *sample)
	return scores[:min(len(scores), maxScores)], err
}

// tidy bounds what a score says and takes out what is secret or cannot be seen; a value that is no number is an
// error.
func (s *Stage) tidy(sc *quality.Score) {
	for text, most := range map[*string]int{&sc.Label: maxLabel, &sc.Explanation: maxExplanation, &sc.Error: maxExplanation} {
		*text = Clip(s.secrets.Replace(quality.Visible(*text)), most)
	}
	if !sc.Failed() && (math.IsNaN(sc.Value) || math.IsInf(sc.Value, 0)) {
		sc.Error = fmt.Sprintf("value %v is not a finite number", sc.Value)
	}
	if sc.Failed() {
		sc.Value = 0
	}
	sc.Late = true
}

// Clip bounds a text, in bytes.
func Clip(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
