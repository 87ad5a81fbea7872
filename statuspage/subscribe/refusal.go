package subscribe

import (
	"errors"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/statuspage/speech"
)

// refusal is an error whose words stand among the texts of the page: people read it in their language, programs in
// English.
type refusal struct {
	failed *quality.Error
	id     string // of the text
	pairs  []any
}

// Error returns the name of the text.
func (r *refusal) Error() string { return r.id }

// Unwrap returns what says the kind.
func (r *refusal) Unwrap() error { return r.failed }

func refuse(k quality.Kind, retry time.Duration, id string, pairs ...any) error {
	return &refusal{failed: &quality.Error{Kind: k, Err: errors.New(id), Retry: retry}, id: id, pairs: pairs}
}

// wrong is a refusal of what somebody gave.
func wrong(id string, pairs ...any) error { return refuse(quality.KindInvalid, 0, id, pairs...) }

// say returns an error in the words of a language; one that has none there as it is.
func say(l *speech.Language, err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	return &quality.Error{Kind: r.failed.Kind, Retry: r.failed.Retry, Err: errors.New(l.Say(r.id, r.pairs...))}
}
