package auth

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// body bounds what is read of a request's body as it is sent, and charges it to the sender.
type body struct {
	io.ReadCloser
	keys   *Keys
	sender *Sender // nil: nobody is charged
	limit  int64
	left   int64
	err    error // ends the body for good
	pace   pace
}

// pace keeps a sender that stalls from holding what a request holds: a body has slowTime, and a second more for
// each slowBytes that have come.
type pace struct {
	set   func(deadline time.Time) error // of the connection; nil where there is none
	began time.Time
	read  int64
}

const (
	slowTime  = 30 * time.Second
	slowBytes = 16 << 10
)

// wait sets the deadline of the next read.
func (p *pace) wait() {
	if p.set == nil {
		return
	}
	if p.began.IsZero() {
		p.began = time.Now()
	}
	p.apply(p.began.Add(slowTime + time.Duration(p.read)*time.Second/slowBytes))
}

// end takes the deadline away, which would else end the request while it is worked on.
func (p *pace) end() {
	if p.set != nil {
		p.apply(time.Time{})
	}
}

func (p *pace) apply(deadline time.Time) {
	if p.set(deadline) != nil {
		p.set = nil // a connection of another sort
	}
}

// Read fails with an error of kind too large or too many, which is told to the caller as it is.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	// One byte more than is left tells a body of exactly the limit from a longer one.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	b.pace.wait()
	n, err := b.ReadCloser.Read(p)
	b.pace.read += int64(n)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.keys.metrics.refuse(ReasonSlow)
		b.err = quality.Errorf(quality.KindInvalid, "body came too slowly: want it within %s and a second for each %d bytes", slowTime, slowBytes)
		return n, b.err
	case err != nil:
		b.pace.end()
	}
	if b.left -= int64(n); b.left < 0 {
		b.keys.metrics.refuse(ReasonTooLarge)
		b.err = tooLarge(b.limit)
		return n - 1, b.err
	}
	if b.sender != nil && b.sender.bytes != nil {
		if b.err = b.sender.spend(ReasonBytes, n, b.keys.opts.Now()); b.err != nil {
			return n, b.err
		}
	}
	return n, err
}

func tooLarge(limit int64) error {
	return quality.Errorf(quality.KindTooLarge, "body is larger than the limit of %d bytes", limit)
}

// bodyLimit returns the limit of a sender's bodies, whichever is less.
func bodyLimit(s *Sender, listener int64) int64 {
	if s == nil {
		return listener
	}
	if own := s.key.Load().MaxBody; own > 0 && own < listener {
		return own
	}
	return listener
}
