package quality

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure an error is, so that a surface can choose its status and exit code.
type Kind int

// The kinds of errors. An error without a kind is internal.
const (
	KindInternal        Kind = iota
	KindInvalid              // the input is wrong; sending it again will not help
	KindTooLarge             // the input is larger than the limit
	KindNotFound             // the named thing does not exist
	KindConflict             // the state does not allow it now
	KindForbidden            // the caller may not do this
	KindUnavailable          // try again later
	KindFull                 // there is no disk left to take it in; try again when there is
	KindUnauthenticated      // who calls is not known
	KindTooMany              // the caller sends more than its share; try again when told
)

// Error is an error with a kind. Its message is fit for the caller to read.
type Error struct {
	Kind  Kind
	Err   error
	Retry time.Duration // when it may be tried again; 0 leaves that to the surface
}

// Errorf makes an error of a kind. The format may wrap with %w.
func Errorf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// Error returns the message.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost Error in err's chain, or KindInternal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}

// TooMany makes an error of kind too many that says when to try again.
func TooMany(retry time.Duration, format string, args ...any) error {
	return &Error{Kind: KindTooMany, Err: fmt.Errorf(format, args...), Retry: retry}
}

// RetryOf returns the longest time that an error of the chain asks to wait, or 0.
func RetryOf(err error) (longest time.Duration) {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			break
		}
		longest = max(longest, e.Retry)
		err = e.Err
	}
	return longest
}
