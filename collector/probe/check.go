package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// checker makes one kind of check. nil is up, an unknownError is unknown, any other error is down. It ends
// when ctx does, and its errors hold nothing that the other side chose.
type checker interface {
	check(ctx context.Context) error
}

// unknownError says why a check could not be made, or saw too little.
type unknownError struct{ text string }

func (e *unknownError) Error() string { return e.text }

func unknown(format string, args ...any) error {
	return &unknownError{fmt.Sprintf(format, args...)}
}

// check makes one check with its retries.
func (p *Prober) check(ctx context.Context, w *watched) Result {
	r := Result{ProbeResult: quality.ProbeResult{Feature: w.feature, Probe: w.label, Time: p.opts.Now()}}
	began := time.Now()
	err := p.try(ctx, w)
	for range *w.spec.Retries {
		if !failed(err) || !pause(ctx, w.spec.RetryPause) {
			break
		}
		p.metrics.retries.WithLabelValues(w.feature).Inc()
		began = time.Now()
		err = p.try(ctx, w)
	}
	r.Latency = time.Since(began) // of the last try
	var u *unknownError
	r.Up, r.Unknown = err == nil, errors.As(err, &u)
	if err != nil {
		r.Error = err.Error()
	}
	p.metrics.check(r)
	return r
}

// failed reports whether an error means down.
func failed(err error) bool {
	var u *unknownError
	return err != nil && !errors.As(err, &u)
}

// try makes one try. Libraries read what strangers send: a panic in one is a failure of this check alone.
func (p *Prober) try(ctx context.Context, w *watched) (err error) {
	ctx, cancel := context.WithTimeout(ctx, w.spec.Timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			p.opts.Logger.Error("a check panicked", "feature", w.feature, "probe", w.label, "kind", w.spec.Kind())
			err = errors.New("the check itself failed")
		}
	}()
	if err := w.checker.check(ctx); err != nil {
		return reason(ctx, err, w.spec.Timeout)
	}
	return nil
}
