package subscribe

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/asgood-dev/asgood/internal/quality"
)

// store keeps each subscriber in a document of its own.
type store struct{ kv KV }

// updateTries bounds how often a change is made again because somebody else changed the document meanwhile.
const updateTries = 10

// get returns a subscriber, or an error of kind not found: also for one that is gone.
func (st store) get(ctx context.Context, id string) (Subscriber, uint64, error) {
	s, rev, err := st.raw(ctx, id)
	if err == nil && s.State == stateGone {
		err = quality.Errorf(quality.KindNotFound, "no such subscriber")
	}
	return s, rev, err
}

func (st store) raw(ctx context.Context, id string) (s Subscriber, rev uint64, err error) {
	data, rev, err := st.kv.Get(ctx, id)
	if err != nil {
		return s, 0, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, 0, fmt.Errorf("decoding subscriber %q: %w", id, err)
	}
	return s, rev, nil
}

// create stores a new subscriber; where there is one it is a conflict.
func (st store) create(ctx context.Context, s Subscriber) error {
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding a subscriber: %w", err)
	}
	if _, err := st.kv.Create(ctx, s.ID, data); err == nil || quality.KindOf(err) != quality.KindConflict {
		return err
	}
	old, rev, err := st.raw(ctx, s.ID)
	if err != nil {
		return err
	}
	if old.State != stateGone {
		return quality.Errorf(quality.KindConflict, "there is such a subscriber")
	}
	_, err = st.kv.Update(ctx, s.ID, data, rev)
	return err
}

// update changes a subscriber. change reports false to leave it as it is; it may be called more than once.
func (st store) update(ctx context.Context, id string, change func(*Subscriber) bool) (s Subscriber, err error) {
	for range updateTries {
		var rev uint64
		if s, rev, err = st.get(ctx, id); err != nil {
			return s, err
		}
		if !change(&s) {
			return s, nil
		}
		data, err := json.Marshal(s)
		if err != nil {
			return s, fmt.Errorf("encoding a subscriber: %w", err)
		}
		if _, err = st.kv.Update(ctx, id, data, rev); err == nil {
			return s, nil
		} else if quality.KindOf(err) != quality.KindConflict {
			return s, err
		}
	}
	return s, quality.Errorf(quality.KindUnavailable, "the subscriber is being changed; try again")
}

// remove takes a subscriber away where may agrees. It is marked first, so that one who confirms in the same
// moment is not lost.
func (st store) remove(ctx context.Context, id string, may func(Subscriber) bool) error {
	removed := false
	_, err := st.update(ctx, id, func(s *Subscriber) bool {
		if removed = may(*s); removed {
			s.State = stateGone
		}
		return removed
	})
	if err != nil || !removed {
		return err
	}
	return st.kv.Delete(ctx, id)
}

// ids returns the ids of the subscribers of a kind, sorted. Of the empty kind those of all.
func (st store) ids(ctx context.Context, k Kind) ([]string, error) {
	keys, err := st.kv.Keys(ctx)
	if err != nil {
		return nil, err
	}
	keys = slices.DeleteFunc(keys, func(id string) bool { return k != "" && kindOf(id) != k })
	slices.Sort(keys)
	return keys, nil
}
