package quality

import (
	"fmt"
	"time"
)

// Quota is so many in each period. Periods are aligned to the clock in UTC. The zero value means none is set.
type Quota struct {
	N   int           // at least 1
	Per time.Duration // a minute, an hour or a day
}

// IsZero reports whether no quota is set.
func (q Quota) IsZero() bool { return q == Quota{} }

// String returns the quota as a configuration writes it, such as 50/h.
func (q Quota) String() string {
	switch q.Per {
	case time.Minute:
		return fmt.Sprintf("%d/m", q.N)
	case time.Hour:
		return fmt.Sprintf("%d/h", q.N)
	case 24 * time.Hour:
		return fmt.Sprintf("%d/d", q.N)
	default:
		return fmt.Sprintf("%d/%s", q.N, q.Per)
	}
}
