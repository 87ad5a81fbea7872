package oidc

import (
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// roleOf returns the highest role that one of the groups has.
func roleOf(groups []string, roles map[quality.Role][]string) quality.Role {
	best := quality.RoleNone
	for role, members := range roles {
		if role > best && slices.ContainsFunc(members, func(g string) bool { return slices.Contains(groups, g) }) {
			best = role
		}
	}
	return best
}

// lookUp finds a claim by its name, and where there is none by the way of its dots: realm_access.roles.
func lookUp(claims map[string]any, name string) (any, bool) {
	if v, ok := claims[name]; ok {
		return v, true
	}
	first, rest, more := strings.Cut(name, ".")
	inner, ok := claims[first].(map[string]any)
	if !more || !ok {
		return nil, false
	}
	return lookUp(inner, rest)
}

// texts reads a list of texts; one text stands for a list of one. What is no text is no group.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	default:
		return nil
	}
}
