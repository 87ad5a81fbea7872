package evaluator

import "context"

// withdraw ends the open regressions whose monitors were changed or removed: nobody would see them recover,
// and what rests on them would stay open for ever.
func (s *Service) withdraw(ctx context.Context) error {
	known, err := s.o.Sink.OpenRegressions(ctx)
	if err != nil {
		return err
	}
	for _, r := range known {
		if !s.engine.forgot(r.Feature, r.Metric) {
			continue
		}
		now := s.o.Now()
		r.WithdrawnAt = &now
		ev := withdrawal(r)
		if err := s.o.Sink.PublishRegression(ctx, ev); err != nil {
			return err
		}
		if err := s.o.Sink.PutRegression(ctx, r); err != nil {
			return err
		}
		s.metrics.events.WithLabelValues(string(ev.Type)).Inc()
		s.log.Info("regression withdrawn: its monitor was changed or removed", "feature", r.Feature, "metric", r.Metric, "id", r.ID)
	}
	return nil
}
