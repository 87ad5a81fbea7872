package app

import (
	"context"
	"fmt"

	"github.com/asgood-dev/asgood/evaluator/conversation"
	"github.com/asgood-dev/asgood/evaluator/views"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
)

// views serve what is told of monitors.
func (a *App) views() *views.Handler {
	return &views.Handler{
		Features: a.opts.Config.Features, Location: a.opts.Config.Location(),
		Statuses: a.rooms.evaluator.Statuses, Store: a.engines.store, Now: a.opts.Now,
		Corrected: a.rooms.judges.Week,
	}
}

// conversationState keeps how far conversations were looked at.
type conversationState struct {
	docs *bus.Documents[conversation.Progress]
}

// Load returns the progress of a feature, and false when there is none.
func (s conversationState) Load(ctx context.Context, feature string) (conversation.Progress, bool, error) {
	p, _, err := s.docs.Get(ctx, feature)
	if quality.KindOf(err) == quality.KindNotFound {
		return p, false, nil
	}
	return p, err == nil, err
}

// Save stores the progress of a feature.
func (s conversationState) Save(ctx context.Context, feature string, p conversation.Progress) error {
	_, err := s.docs.Put(ctx, feature, p)
	return err
}

func (r *rooms) buildConversations(ctx context.Context, a *App) error {
	docs, err := documents[conversation.Progress](ctx, a.engines.bus, bucketConversations)
	if err != nil {
		return err
	}
	k, err := conversation.New(conversation.Options{
		Features: a.opts.Config.Features, Store: a.engines.store, Taker: sampleTaker{r.collector, r.room.Room},
		State: conversationState{docs}, Behind: a.behind,
		Now: a.opts.Now, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	r.add("conversations", k.Run)
	return nil
}

// behind returns how many messages of samples are not in the store yet.
func (a *App) behind(ctx context.Context) (uint64, error) {
	writer, err := a.engines.bus.Reader(ctx, bus.Samples, readerWriter)
	if err != nil {
		return 0, fmt.Errorf("looking up the writer of stream %q: %w", bus.Samples, err)
	}
	return writer.Lag(ctx)
}
