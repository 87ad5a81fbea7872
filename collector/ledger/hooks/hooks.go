// Package hooks reads what GitHub, GitLab and PagerDuty's senders tell of deployments, and checks that it
// is they who tell it.
//
// It decodes and verifies, and decides by the body alone whether something took effect. Which features a
// repository belongs to, and what becomes of the deployment, is the ledger's business.
package hooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Stage is how far a deployment has come.
type Stage string

// The stages. The zero value means that it is not known.
const (
	Started Stage = "started"
	Done    Stage = "done"
	Failed  Stage = "failed"
)

// Deploy is one deployment, release, push or change event.
type Deploy struct {
	ID          string // the same for everything that is told of one deployment
	Stage       Stage
	At          time.Time // zero when it was not told, or not in a form that is known
	Repository  string    // such as org/app
	Environment string    // empty when there is none
	Production  bool      // the sender says that the environment is production
	Features    []string  // empty unless the sender names them
	Layer       quality.Layer
	Title       string
	Description string
	Owner       string // a person; robots own nothing
	Reviewer    string
	Reference   string
	Before      string
	After       string
}

// Ignored is the reason why a webhook is well but no change.
type Ignored string

// Error returns the reason.
func (i Ignored) Error() string { return string(i) }

// errForbidden says no more than a stranger may know.
func errForbidden(what string) error { return quality.Errorf(quality.KindForbidden, "%s", what) }

// VerifyGitHub checks X-Hub-Signature-256, the HMAC of the body.
func VerifyGitHub(secret string, h http.Header, body []byte) error {
	sent, ok := strings.CutPrefix(h.Get("X-Hub-Signature-256"), "sha256=")
	if !ok {
		return errForbidden("X-Hub-Signature-256 is missing: give the webhook the secret that is configured here")
	}
	got, err := hex.DecodeString(sent)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	if err != nil || !hmac.Equal(got, mac.Sum(nil)) {
		return errForbidden("X-Hub-Signature-256 does not fit the body and the secret that is configured here")
	}
	return nil
}

// sameSecret compares in a time that tells nothing, not even a length.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// decode reads a body. Fields that are not known are passed over: the senders add some every month.
func decode(body []byte, v any) error {
	if err := json.Unmarshal(body, v); err != nil {
		return quality.Errorf(quality.KindInvalid, "body is not the JSON of this event: %w", err)
	}
	return nil
}

// timeLayouts are the forms in which times come. GitLab writes its own.
var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05"}

// timeOf reads a time; one in no known form is zero.
func timeOf(s string) time.Time {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// firstTime is the first that can be read.
func firstTime(times ...string) time.Time {
	for _, s := range times {
		if t := timeOf(s); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

// line makes a text fit for a field of one line: others' texts are shortened rather than refused.
func line(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return cut(strings.Join(strings.Fields(s), " "), most)
}

// cut shortens to a number of bytes without cutting a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// link keeps what is a web address and can be stored.
func link(urls ...string) string {
	for _, s := range urls {
		if (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && len(s) <= quality.MaxChangeLine && line(s, len(s)) == s {
			return s
		}
	}
	return ""
}

// fit makes all texts of a deployment fit for the ledger.
func (d *Deploy) fit() {
	for _, f := range []struct {
		text *string
		most int
	}{
		{&d.ID, quality.MaxNameLen}, {&d.Owner, quality.MaxNameLen}, {&d.Reviewer, quality.MaxNameLen}, {&d.Title, quality.MaxChangeLine},
		{&d.Before, quality.MaxChangeLine}, {&d.After, quality.MaxChangeLine}, {&d.Repository, quality.MaxNameLen}, {&d.Environment, quality.MaxNameLen},
	} {
		*f.text = line(*f.text, f.most)
	}
	d.Description = cut(strings.ToValidUTF8(d.Description, ""), quality.MaxChangeText)
}

// shortSHA is how people write a commit.
func shortSHA(sha string) string { return sha[:min(len(sha), 12)] }
