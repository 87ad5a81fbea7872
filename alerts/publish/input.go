package publish

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
	"github.com/asgood-dev/asgood/internal/wording"
)

// maxRequest is the largest body of a request but an import, in bytes.
const maxRequest = 1 << 20

// newIncident is what POST /v1/incidents takes.
type newIncident struct {
	Name       string                             `json:"name"`
	Kind       quality.IncidentKind               `json:"kind"`
	Features   []string                           `json:"features"`
	Severity   quality.Severity                   `json:"severity"`
	Status     quality.IncidentStatus             `json:"status"` // default investigating
	Body       string                             `json:"body"`   // Markdown; empty: the template of the status, filled with the facts
	Facts      wording.Facts                      `json:"facts"`
	Effects    map[string]quality.ComponentStatus `json:"effects"`
	Visibility quality.Visibility                 `json:"visibility"` // default internal
	Override   bool                               `json:"override"`   // publishes also what lacks facts; wants a reason
	Reason     string                             `json:"reason"`
	Owner      string                             `json:"owner"`
	StartedAt  *time.Time                         `json:"started_at"` // default now
	NextUpdate *time.Time                         `json:"next_update"`
}

// changes are what PATCH /v1/incidents/:id takes; what is absent stays.
type changes struct {
	Name     *string                            `json:"name"`
	Severity *quality.Severity                  `json:"severity"`
	Owner    *string                            `json:"owner"`
	Features []string                           `json:"features"`
	Effects  map[string]quality.ComponentStatus `json:"effects"` // an empty map: as measured
}

// newUpdate is what POST /v1/incidents/:id/updates takes.
type newUpdate struct {
	Status     quality.IncidentStatus `json:"status"` // default: as it is
	Body       string                 `json:"body"`   // Markdown; empty: the template of the status, filled with the facts
	Facts      wording.Facts          `json:"facts"`  // over those that are measured
	Internal   bool                   `json:"internal"`
	Reason     string                 `json:"reason"`      // required to go back
	NextUpdate *time.Time             `json:"next_update"` // when the next one is promised
}

// decided is what publish, veto and the postmortem's publish take.
type decided struct {
	Override bool   `json:"override"`
	Reason   string `json:"reason"`
}

// text is what corrects an update or writes a postmortem.
type text struct {
	Body  string        `json:"body"`
	Facts wording.Facts `json:"facts"`
}

func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return quality.Errorf(quality.KindInvalid, "name: required")
	case utf8.RuneCountInString(name) > maxName:
		return quality.Errorf(quality.KindInvalid, "name: %d characters, at most %d", utf8.RuneCountInString(name), maxName)
	case strings.ContainsAny(name, "\r\n"):
		return quality.Errorf(quality.KindInvalid, "name: want one line")
	}
	return nil
}

func checkBody(body string) error {
	if strings.TrimSpace(body) == "" {
		return quality.Errorf(quality.KindInvalid, "body: required")
	}
	if n := utf8.RuneCountInString(body); n > maxBody {
		return quality.Errorf(quality.KindInvalid, "body: %d characters, at most %d", n, maxBody)
	}
	return nil
}

func checkShort(field, s string) error {
	if len(s) > maxReason {
		return quality.Errorf(quality.KindInvalid, "%s: %d bytes, at most %d", field, len(s), maxReason)
	}
	return nil
}

func checkKind(k quality.IncidentKind) error {
	if slices.Contains(quality.IncidentKinds(), k) {
		return nil
	}
	return quality.Errorf(quality.KindInvalid, "kind: %.40q is none (want quality or availability)", k)
}

func checkSeverity(s quality.Severity) error {
	if s == quality.SeverityNone || s.Rank() > 0 {
		return nil
	}
	return quality.Errorf(quality.KindInvalid, "severity: %.40q is none (want none, minor, major or critical)", s)
}

// checkFeatures wants features that are configured, each once.
func (d *Desk) checkFeatures(features []string) error {
	if len(features) == 0 || len(features) > maxFeatures {
		return quality.Errorf(quality.KindInvalid, "features: %d, want 1 to %d", len(features), maxFeatures)
	}
	for i, f := range features {
		if _, ok := d.titles[f]; !ok {
			return quality.Errorf(quality.KindInvalid, "features[%d]: no feature %.40q is configured", i, f)
		}
		if slices.Contains(features[:i], f) {
			return quality.Errorf(quality.KindInvalid, "features[%d]: %.40q stands twice", i, f)
		}
	}
	return nil
}

var effects = []quality.ComponentStatus{quality.Operational, quality.DegradedPerformance, quality.PartialOutage, quality.MajorOutage}

func checkEffects(e map[string]quality.ComponentStatus, features []string) error {
	for f, status := range e {
		if !slices.Contains(features, f) {
			return quality.Errorf(quality.KindInvalid, "effects: %.40q is not among the features", f)
		}
		if !slices.Contains(effects, status) {
			return quality.Errorf(quality.KindInvalid, "effects: %.40q: %.40q is no effect (want one of %v)", f, status, effects)
		}
	}
	return nil
}

// checkPromise refuses a promise that is broken already.
func checkPromise(at *time.Time, now time.Time) error {
	if at != nil && !at.After(now) {
		return quality.Errorf(quality.KindInvalid, "next_update: want a time to come")
	}
	return nil
}

func firstOf(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

// read reads the JSON of a request.
func read(g *gin.Context, v any) error { return web.ReadJSON(g, v, maxRequest) }

// readOptional reads the JSON of a request that may have no body.
func readOptional(g *gin.Context, v any) error {
	if g.Request.ContentLength == 0 {
		return nil
	}
	return read(g, v)
}

// idempotency returns the caller's key for a request, bound to who it is; empty where it has none.
func (d *Desk) idempotency(g *gin.Context) (string, error) {
	key := g.GetHeader("Idempotency-Key")
	if key == "" {
		return "", nil
	}
	if len(key) > maxName {
		return "", quality.Errorf(quality.KindInvalid, "header Idempotency-Key: %d bytes, at most %d", len(key), maxName)
	}
	by := d.o.Actor(g.Request.Context())
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", by.ID, by.Credential, g.Request.URL.Path, key))
	return hex.EncodeToString(sum[:13]), nil
}

// used reports whether a request with the key made an update before.
func used(keys []usedKey, key string) bool {
	return key != "" && slices.ContainsFunc(keys, func(k usedKey) bool { return k.Key == key })
}

// remember notes the key of a request, and forgets the oldest where there are many.
func remember(keys []usedKey, key, update string) []usedKey {
	if key == "" {
		return keys
	}
	keys = append(keys, usedKey{key, update})
	return keys[max(len(keys)-maxKeys, 0):]
}
