package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

type pagerdutyBody struct {
	RoutingKey string `json:"routing_key"`
	Payload    *struct {
		Summary   string         `json:"summary"`
		Timestamp string         `json:"timestamp"`
		Source    string         `json:"source"`
		Details   map[string]any `json:"custom_details"`
	} `json:"payload"`
	Links []struct {
		Href string `json:"href"`
	} `json:"links"`
}

// PagerDuty reads a change event as it is posted to /v2/change/enqueue, and checks its routing key. Of
// custom_details it takes the names under which change events commonly carry a repository, environment,
// revision and user, and feature, features, layer, owner, reviewer, before and after.
func PagerDuty(routingKey string, body []byte) (Deploy, error) {
	var b pagerdutyBody
	if err := decode(body, &b); err != nil {
		return Deploy{}, err
	}
	switch {
	case !sameSecret(b.RoutingKey, routingKey):
		return Deploy{}, errForbidden("routing_key is not the one that is configured here")
	case b.Payload == nil || strings.TrimSpace(b.Payload.Summary) == "":
		return Deploy{}, quality.Errorf(quality.KindInvalid, "'payload.summary' is missing or blank")
	}
	p, details := b.Payload, b.Payload.Details
	get := func(names ...string) string { return detail(details, names...) }
	d := Deploy{
		ID: "pagerduty/" + bodyID(b), Stage: Done, At: timeOf(p.Timestamp), Title: p.Summary,
		Repository: repository(get("repository", "repo"), p.Source), Environment: get("environment"),
		Features: features(details), Layer: quality.Layer(strings.ToLower(get("layer"))), Owner: get("owner", "user"), Reviewer: get("reviewer"),
		Before: get("before"), After: get("after", "revision"),
	}
	for _, l := range b.Links {
		d.Reference = first(d.Reference, link(l.Href))
	}
	d.fit()
	return d, nil
}

// bodyID is the same for the same event sent again, whatever its key and the order of its fields.
func bodyID(b pagerdutyBody) string {
	b.RoutingKey = ""
	data, err := json.Marshal(b)
	if err != nil { // it was read from JSON
		return "unreadable"
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:12])
}

func detail(details map[string]any, names ...string) string {
	for _, name := range names {
		switch v := details[name].(type) {
		case string:
			if v != "" {
				return v
			}
		case float64, bool:
			return fmt.Sprint(v)
		}
	}
	return ""
}

// repository takes org/app out of a URL.
func repository(name, source string) string {
	name = first(name, source)
	if _, rest, ok := strings.Cut(name, "://"); ok {
		_, path, _ := strings.Cut(rest, "/")
		name = path
	}
	return strings.TrimSuffix(strings.Trim(name, "/"), ".git")
}

// features reads a list, or a text with commas.
func features(details map[string]any) (out []string) {
	for _, name := range []string{"features", "feature"} {
		switch v := details[name].(type) {
		case string:
			for part := range strings.SplitSeq(v, ",") {
				out = add(out, strings.TrimSpace(part))
			}
		case []any:
			for _, e := range v {
				if s, ok := e.(string); ok {
					out = add(out, s)
				}
			}
		}
	}
	return out
}

func add(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	if s == "" || len(list) >= quality.MaxChangeFeatures {
		return list
	}
	return append(list, s)
}
