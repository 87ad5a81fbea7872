package auth

import (
	"io"

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
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.keys.metrics.refuse(ReasonTooLarge, 1)
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
