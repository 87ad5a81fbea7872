package app

import (
	"context"

	"github.com/asgood-dev/asgood/statuspage/console"
	"github.com/asgood-dev/asgood/statuspage/subscribe"
)

// consoleSubscribers tells the console who is subscribed, with addresses shortened.
type consoleSubscribers struct{ service *subscribe.Service }

func (s consoleSubscribers) Subscribers(ctx context.Context) ([]console.Subscriber, error) {
	all, err := s.service.All(ctx)
	out := make([]console.Subscriber, len(all))
	for i, x := range all {
		out[i] = console.Subscriber{ID: x.ID, Channel: string(x.Kind), Address: x.Address, State: string(x.State), Features: x.Features, Since: x.CreatedAt}
		for _, t := range x.Topics {
			out[i].Kinds = append(out[i].Kinds, string(t))
		}
	}
	return out, err
}
