package ledger

import (
	"context"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Own says who answers for an entry. An unknown id is an error of kind not found, one that somebody owns
// already of kind conflict: of an undeclared change the owner is that of the feature, and only its flag goes.
func (l *Ledger) Own(ctx context.Context, id, owner string) error {
	if owner = strings.TrimSpace(owner); owner == "" {
		return quality.Errorf(quality.KindInvalid, `field "owner": required`)
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	if _, known := l.book.get(id); !known {
		return quality.Errorf(quality.KindNotFound, "no change %.40q", id)
	}
	var refused error
	err := l.book.revise(ctx, id, func(c *quality.Change) bool {
		refused = nil
		if c.Owner != "" && !c.Flagged(quality.FlagNoOwner) {
			refused = quality.Errorf(quality.KindConflict, "%s owns it already", c.Owner)
			return false
		}
		c.Owner = owner
		c.SetFlag(quality.FlagNoOwner, false)
		refused = c.Validate()
		return refused == nil
	})
	if err == nil {
		err = refused
	}
	return err
}
