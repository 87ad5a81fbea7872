package collector

import (
	"context"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Guard knows what the sender of a request may do. The context is the request's.
type Guard interface {
	// Allow returns an error of kind forbidden when the sender may not send for a feature; the empty feature
	// stands for any.
	Allow(ctx context.Context, feature string) error
	// Spend charges records to the sender. An error of kind too many ends the request.
	Spend(ctx context.Context, records int) error
}

// open is a guard that lets everybody do everything.
type open struct{}

func (open) Allow(context.Context, string) error { return nil }
func (open) Spend(context.Context, int) error    { return nil }

// failReason is the label value of an error that is not the fault of the records.
func failReason(err error) string {
	if quality.KindOf(err) == quality.KindTooMany {
		return reasonTooMany
	}
	return reasonUnavailable
}
