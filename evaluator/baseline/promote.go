package baseline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// AcceptSlide accepts a level that slid slowly, where no regression is open.
const AcceptSlide = "slide"

// defaultPeriod is the period of a promotion that names none.
const defaultPeriod = 7 * 24 * time.Hour

// Promotion asks for a new version from stored scores.
type Promotion struct {
	From   time.Time `json:"from,omitzero"` // default: 7 days ago, or the end of the last regression; of an accepted one its start
	To     time.Time `json:"to,omitzero"`   // default: now
	Name   string    `json:"name,omitempty"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Accept string    `json:"accept,omitempty"` // id of the open regression whose level is accepted, or AcceptSlide
}

// Promote makes a version from stored scores and puts it in force. What must not become a baseline is refused
// with the reason, as an error of kind conflict.
func (k *Keeper) Promote(ctx context.Context, feature, metric string, p Promotion) (quality.Baseline, error) {
	m, err := k.monitor(feature, metric)
	if err != nil {
		return quality.Baseline{}, err
	}
	if err := named(p.By, p.Reason); err != nil {
		return quality.Baseline{}, err
	}
	if len(p.Name) > quality.MaxNameLen || quality.Visible(p.Name) != p.Name {
		return quality.Baseline{}, quality.Errorf(quality.KindInvalid, `field "name": want at most %d bytes that can be seen`, quality.MaxNameLen)
	}
	kind := quality.BaselineWindowed
	if p.Accept != "" {
		kind = quality.BaselineAccepted
	}
	return k.promote(ctx, feature, m, kind, p)
}

func (k *Keeper) promote(ctx context.Context, feature string, m *quality.MonitorSpec, kind quality.BaselineKind, p Promotion) (v quality.Baseline, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, rev, err := k.book(ctx, feature, m.Metric)
	if err != nil {
		return v, err
	}
	regressions, err := k.o.Facts.Regressions(ctx)
	if err != nil {
		return v, fmt.Errorf("reading regressions: %w", err)
	}
	if err := p.period(regressions, feature, m.Metric, k.o.Now()); err != nil {
		return v, err
	}
	if err := k.seeing(ctx, feature, m.Metric); err != nil && p.Accept == "" {
		return v, err
	}
	scores, err := k.candidate(ctx, feature, m, p)
	if err != nil {
		return v, err
	}
	if p.Accept == "" {
		if err := k.checkOriginal(ctx, &b, m, scores); err != nil {
			return v, err
		}
	}
	v = k.version(&b, m, kind, p, scores)
	if err := k.store(ctx, m, &v, scores); err != nil {
		return v, err
	}
	b.Versions, b.Declined = append(b.Versions, v), ""
	return v, k.enforce(ctx, &b, rev, v.Version, p)
}

// period fills in what a promotion leaves out, and refuses a period that a regression touches. Accepting a
// regression is the way around it, and takes its id: nobody accepts what they do not know of.
func (p *Promotion) period(all []quality.Regression, feature, metric string, now time.Time) error {
	if p.To.IsZero() || p.To.After(now) { // what is dated later than now has a wrong clock
		p.To = now
	}
	if epoch := time.Unix(0, 0).UTC(); !p.From.IsZero() && p.From.Before(epoch) {
		p.From = epoch
	}
	if p.Accept != "" && p.Accept != AcceptSlide {
		i := slices.IndexFunc(all, func(r quality.Regression) bool {
			return r.ID == p.Accept && r.Feature == feature && r.Metric == metric && r.Open()
		})
		if i < 0 {
			return quality.Errorf(quality.KindNotFound, "no open regression %q of metric %q of feature %q", p.Accept, metric, feature)
		}
		if start := began(&all[i]); p.From.Before(start) {
			p.From = start
		}
		if !p.From.Before(p.To) {
			return quality.Errorf(quality.KindInvalid, "the period ends before the regression began at %s", stamp(p.From))
		}
		return nil
	}
	if p.From.IsZero() {
		p.From = p.To.Add(-defaultPeriod)
		for i := range all {
			if r := &all[i]; r.Feature == feature && r.Metric == metric && !r.Open() && ended(r).After(p.From) && ended(r).Before(p.To) {
				p.From = ended(r)
			}
		}
	}
	if !p.From.Before(p.To) {
		return quality.Errorf(quality.KindInvalid, "the period begins at %s and ends at %s", stamp(p.From), stamp(p.To))
	}
	return checkRegressions(all, feature, metric, p.From, p.To)
}

// seeing refuses while the monitor is blind.
func (k *Keeper) seeing(ctx context.Context, feature, metric string) error {
	all, err := k.o.Facts.Statuses(ctx)
	if err != nil {
		return fmt.Errorf("reading the states of monitors: %w", err)
	}
	for _, st := range all {
		if st.Feature == feature && st.Metric == metric && st.State == quality.MonitorBlind {
			return refuse("the monitor is blind: %s", st.Reason)
		}
	}
	return nil
}

// candidate reads the scores of the period and checks them. Failed ones are left out.
func (k *Keeper) candidate(ctx context.Context, feature string, m *quality.MonitorSpec, p Promotion) ([]quality.Score, error) {
	scores, err := k.o.Facts.Scores(ctx, feature, m.Metric, p.From, p.To, quality.MaxBaseline+1)
	if err != nil {
		return nil, fmt.Errorf("reading the scores of the period: %w", err)
	}
	if len(scores) > quality.MaxBaseline {
		return nil, quality.Errorf(quality.KindTooLarge, "more than %d scores from %s to %s: choose a shorter period", quality.MaxBaseline, stamp(p.From), stamp(p.To))
	}
	if err := checkScores(production(scores)); err != nil {
		return nil, err
	}
	return without(scores), nil
}

// production leaves out canaries, which are watched apart.
func production(scores []quality.Score) []quality.Score {
	return slices.DeleteFunc(slices.Clone(scores), func(sc quality.Score) bool { return sc.Source == quality.SourceCanary })
}

func (k *Keeper) checkOriginal(ctx context.Context, b *quality.BaselineBook, m *quality.MonitorSpec, now []quality.Score) error {
	original := b.Original()
	if original == nil {
		return nil
	}
	old, err := k.scores(ctx, original)
	if err != nil {
		return err
	}
	if err := checkSlide(m, production(old), production(now)); err != nil {
		return fmt.Errorf("compared with version %d of %s: %w", original.Version, original.MadeAt.UTC().Format(time.DateOnly), err)
	}
	return nil
}

func (k *Keeper) version(b *quality.BaselineBook, m *quality.MonitorSpec, kind quality.BaselineKind, p Promotion, scores []quality.Score) quality.Baseline {
	own := production(scores)
	f := figuresOf(own)
	v := quality.Baseline{Feature: b.Feature, Metric: b.Metric, Version: 1, Name: p.Name, Kind: kind, Scorer: own[0].Version,
		MadeAt: k.o.Now().UTC(), By: p.By, Reason: p.Reason, From: own[0].Time, To: own[len(own)-1].Time,
		N: f.N, Mean: f.Mean, SD: f.SD, Slices: sliceFigures(m, own), Accepted: p.Accept}
	if n := len(b.Versions); n > 0 {
		v.Version = b.Versions[n-1].Version + 1
	}
	if original := b.Original(); original != nil {
		v.Against = original.Version
	}
	return v
}

// enforce puts a version in force: first on disk, so that a restart finds it, then in the running monitor.
func (k *Keeper) enforce(ctx context.Context, b *quality.BaselineBook, rev uint64, version int, p Promotion) error {
	b.InForce = version
	b.Pins = append(b.Pins, quality.BaselinePin{Version: version, At: k.o.Now().UTC(), By: p.By, Reason: p.Reason})
	unused := k.giveUp(b)
	if err := k.save(ctx, b, rev); err != nil {
		return err
	}
	k.remove(ctx, unused)
	k.log.Info("baseline in force", "feature", b.Feature, "metric", b.Metric, "version", version, "by", p.By)
	if k.o.InForce == nil {
		return nil
	}
	spec := quality.BaselineSpec{}
	if v := b.Version(version); v != nil {
		spec.Pinned = v.Pinned()
	} else if m, err := k.monitor(b.Feature, b.Metric); err == nil {
		spec = m.Baseline
	}
	var accepted *Acceptance
	if p.Accept != "" {
		accepted = &Acceptance{Regression: p.Accept, By: p.By, Reason: p.Reason}
	}
	if err := k.o.InForce(ctx, b.Feature, b.Metric, spec, accepted); err != nil {
		return fmt.Errorf("version %d is stored; the monitor takes it at its next start: %w", version, err)
	}
	return nil
}

// Pin puts an earlier version in force, or with version 0 what the configuration says.
func (k *Keeper) Pin(ctx context.Context, feature, metric string, p quality.BaselinePin) (quality.BaselineBook, error) {
	if _, err := k.monitor(feature, metric); err != nil {
		return quality.BaselineBook{}, err
	}
	if err := named(p.By, p.Reason); err != nil {
		return quality.BaselineBook{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	b, rev, err := k.book(ctx, feature, metric)
	if err != nil {
		return b, err
	}
	if p.Version != 0 {
		v := b.Version(p.Version)
		if v == nil {
			return b, quality.Errorf(quality.KindNotFound, "metric %q of feature %q has no version %d", metric, feature, p.Version)
		}
		if _, err := k.scores(ctx, v); err != nil {
			return b, err
		}
	}
	regressions, err := k.o.Facts.Regressions(ctx)
	if err != nil {
		return b, fmt.Errorf("reading regressions: %w", err)
	}
	now := k.o.Now()
	if err := checkRegressions(regressions, feature, metric, now, now); err != nil {
		return b, err
	}
	return b, k.enforce(ctx, &b, rev, p.Version, Promotion{By: p.By, Reason: p.Reason})
}
