package ledger

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Step does all that is due.
func Step(ctx context.Context, l *Ledger, now time.Time) error { return l.step(ctx, now, true) }

// TakeBody takes a body as a request would.
func TakeBody(l *Ledger, body, media string) (Result, error) {
	r := httptest.NewRequest(http.MethodPost, "/v1/changes", strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	return l.takeBody(r)
}

// Explains reports whether a declared change accounts for one that was seen.
func Explains(spec quality.UndeclaredSpec, declared, seen quality.Change) bool {
	return explains(spec, &declared, &seen)
}
