package ask

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// minSecret is the shortest text that is taken for a secret: what is shorter stands in many texts by chance.
const minSecret = 8

// openHeaders are those whose values are no secret.
var openHeaders = []string{"Accept", "Accept-Language", "Content-Type", "User-Agent"}

// secretsOf returns what takes the secrets of a scorer's configuration out of a text. An endpoint or a command may
// say whatever it was told: an error page that shows the request is enough.
func secretsOf(spec *quality.ScorerSpec) *strings.Replacer {
	secrets := []string{spec.APIKey}
	for name, value := range spec.Headers {
		if !slices.Contains(openHeaders, http.CanonicalHeaderKey(name)) {
			_, token, _ := strings.Cut(value, " ") // behind a scheme such as Bearer
			secrets = append(secrets, value, token)
		}
	}
	for _, value := range spec.Env {
		if !strings.HasPrefix(value, "/") { // paths are no secret, and stand in many errors
			secrets = append(secrets, value)
		}
	}
	for _, text := range []string{spec.URL, spec.BaseURL} {
		secrets = append(secrets, secretsOfURL(text)...)
	}
	return without(secrets)
}

func secretsOfURL(text string) (out []string) {
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
	if password, ok := u.User.Password(); ok {
		out = append(out, password)
	}
	for _, values := range u.Query() {
		out = append(out, values...)
	}
	return out
}

// without takes the longer secrets out first: one may begin with another.
func without(secrets []string) *strings.Replacer {
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range secrets {
		if len(s) >= minSecret {
			pairs = append(pairs, s, "[secret]")
		}
	}
	return strings.NewReplacer(pairs...)
}
