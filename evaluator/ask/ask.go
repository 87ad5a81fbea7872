// Package ask scores samples by asking something outside the process: a judge, an embedding model, an
// endpoint, a command, a WebAssembly module. Each scorer has a Stage of its own, which reads the stream of samples at its own
// pace, so that a slow or absent one holds up nobody: it lags in its own place of the stream, up to a bound.
//
// The package owns which samples are asked about and with what probability, budgets, tries, and what it all
// costs. Scores go back onto the stream of samples, as later scores do, and reach the engine from there, so
// that the engine stays a function of the stream. The package leaves out what a score means, and the judge,
// which is a package of its own.
package ask

import (
	"context"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Scorer asks for the scores of a sample. It is safe for concurrent use.
type Scorer interface {
	// Score returns the scores: none when the sample has nothing to score. A score that could not be made
	// has its Error set and is never a 0. An error of kind unavailable or too many passes: another try may
	// fare better, after the time that quality.RetryOf tells. Any other error is one of this sample.
	Score(ctx context.Context, s quality.Sample) ([]quality.Score, error)
	// Version changes when what the scorer says may have changed.
	Version() string
	// Calls is how many calls one sample takes, without tries.
	Calls() int
	// Close frees what the scorer holds.
	Close() error
}

// Message is one message of the stream of samples: a quality.Delivery.
type Message struct {
	Time time.Time // when it was stored
	Data []byte
}

// Batch is some messages that follow each other in the stream.
type Batch struct {
	First, Last uint64
	Messages    []Message
}

// Source is the stream of samples, as one scorer reads it.
type Source interface {
	// Next waits for the next batch. What is not committed is given again after a restart, with the same
	// boundaries.
	Next(ctx context.Context) (Batch, error)
	// Commit says that a batch need not be given again.
	Commit(ctx context.Context, b Batch) error
}

// Sink takes scores.
type Sink interface {
	// PublishScores puts scores onto the stream of samples, durably. Scores with the same id are there once.
	PublishScores(ctx context.Context, id string, scores []quality.Score) error
}

// Store keeps the account of a scorer.
type Store interface {
	// Load returns the account, or an error of kind not found.
	Load(ctx context.Context, feature, scorer string) (Account, error)
	// Save stores the account in the place of the one before, durably.
	Save(ctx context.Context, a Account) error
}
