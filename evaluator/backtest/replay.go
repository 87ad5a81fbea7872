package backtest

import (
	"time"

	"github.com/asgood-dev/asgood/evaluator"
	"github.com/asgood-dev/asgood/internal/quality"
)

// bench replays one series through an engine of its own.
type bench struct {
	series  *Series
	monitor quality.MonitorSpec
	options evaluator.EngineOptions
}

// newBench makes the engine's options for one monitor alone. fleet is how many streams the whole
// configuration has for each that this monitor has: the rule for many streams then asks as much of this one
// as it would beside all the others.
func newBench(s *Series, o evaluator.BacktestOptions, fleet float64) (*bench, bool) {
	for _, f := range evaluator.GivenScores(o.Features) {
		for _, m := range f.Monitors {
			if f.Name != s.Feature || m.Metric != s.Metric {
				continue
			}
			f.Monitors = []quality.MonitorSpec{m}
			budget := budgetOf(m, o.FalseAlarms)
			budget.Period = time.Duration(float64(budget.Period) * fleet)
			f.Monitors[0].FalseAlarms = nil
			return &bench{series: s, monitor: m, options: evaluator.EngineOptions{Features: []quality.Feature{f},
				FalseAlarms: budget, Location: o.Location, Baselines: o.Baselines, Remember: -1}}, true
		}
	}
	return nil, false
}

// budgetOf is the budget for false alarms that counts for a monitor.
func budgetOf(m quality.MonitorSpec, all quality.FalseAlarms) quality.FalseAlarms {
	if m.FalseAlarms != nil && *m.FalseAlarms != (quality.FalseAlarms{}) {
		return *m.FalseAlarms
	}
	if all == (quality.FalseAlarms{}) {
		return quality.FalseAlarms{Period: evaluator.DefaultPeriod}
	}
	return all
}

// run replays records until opened says stop. It is told the record at which a regression was opened.
func (b *bench) run(records []record, opened func(i int, r *quality.Regression) (stop bool)) (*evaluator.Engine, error) {
	o := b.options
	if stored := o.Baselines; stored != nil {
		o.Baselines = func(feature, metric string, spec quality.BaselineSpec) ([]quality.Score, error) {
			if spec.Pinned == "" {
				return nil, quality.Errorf(quality.KindNotFound, "a backtest has no stored window")
			}
			return stored(feature, metric, spec)
		}
	}
	e, err := evaluator.NewEngine(o)
	if err != nil {
		return nil, err
	}
	for i := range records {
		_, events := e.ObserveScore(b.series.score(records[i]), uint64(i)+1)
		for j := range events {
			if events[j].Type == quality.RegressionOpened && opened(i, &events[j].Regression) {
				return e, nil
			}
		}
	}
	return e, nil
}

// pilotEvery is after how many scores a monitor is asked whether it has its baseline.
const pilotEvery = 50

// pilot finds out after which record the monitor has its baseline, and how many scores that has. Where it
// never has one, why says so in words.
func (b *bench) pilot(records []record) (ready int, baseline uint64, why string, err error) {
	e, err := b.run(nil, nil)
	if err != nil {
		return 0, 0, "", err
	}
	why = "there are no scores"
	for i := range records {
		e.ObserveScore(b.series.score(records[i]), uint64(i)+1)
		if i%pilotEvery != pilotEvery-1 && i != len(records)-1 {
			continue
		}
		st := e.Statuses(time.Unix(0, records[i].at))[0]
		if st.Baseline.N > 0 {
			return i + 1, st.Baseline.N, "", nil
		}
		why = st.Reason
	}
	return 0, 0, why, nil
}
