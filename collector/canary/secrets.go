package canary

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// secrets are texts that appear in no sample, the longest first.
type secrets []string

// minSecret is the length below which a text is no secret: it could stand in any answer.
const minSecret = 8

// struck stands in the place of a secret.
const struck = "[secret]"

// secretName is what names of headers and parameters that carry keys contain.
var secretName = regexp.MustCompile(`(?i)auth|key|token|secret|cookie|session|password|signature`)

// secretsOf gathers what variables gave to the canary, its key, and what headers and the URL carry by
// their names.
func secretsOf(spec quality.CanarySpec) secrets {
	all := slices.Clone(spec.Secrets)
	if c := spec.Chat; c != nil {
		all = append(all, c.Key)
		all = append(all, urlSecrets(c.BaseURL)...)
	}
	if h := spec.HTTP; h != nil {
		all = append(all, urlSecrets(h.URL)...)
		for name, value := range h.Headers {
			if secretName.MatchString(name) {
				all = append(all, value, value[strings.LastIndexByte(value, ' ')+1:])
			}
		}
	}
	for _, s := range slices.Clone(all) {
		all = append(all, url.QueryEscape(s))
	}
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < minSecret })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}

func urlSecrets(raw string) (out []string) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}
	if password, ok := u.User.Password(); ok {
		out = append(out, password)
	}
	for name, values := range u.Query() {
		if secretName.MatchString(name) {
			out = append(out, values...)
		}
	}
	return out
}

func (s secrets) strike(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, struck)
	}
	return text
}

func (s secrets) in(text string) bool {
	return slices.ContainsFunc(s, func(secret string) bool { return strings.Contains(text, secret) })
}

// strikeAnswer removes secrets that an endpoint repeats.
func (s secrets) strikeAnswer(a *answer) {
	if len(s) == 0 {
		return
	}
	a.model = s.strike(a.model)
	a.output.Text = s.strike(a.output.Text)
	for i := range a.output.Messages {
		a.output.Messages[i].Content = s.strike(a.output.Messages[i].Content)
	}
	for i := range a.context {
		a.context[i].ID, a.context[i].Text = s.strike(a.context[i].ID), s.strike(a.context[i].Text)
	}
	for i := range a.tools {
		a.tools[i].Name = s.strike(a.tools[i].Name)
		a.tools[i].Arguments = rawJSON(s.strike(string(a.tools[i].Arguments)))
	}
}

// rawJSON is a text as JSON: as it is where it is JSON already, and as a string else.
func rawJSON(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	data, err := json.Marshal(text)
	if err != nil {
		return nil // a string can always be written
	}
	return data
}
