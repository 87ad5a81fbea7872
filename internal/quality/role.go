package quality

import (
	"fmt"
	"strings"
)

// Role says what a person may do. Each may do what those before it may.
type Role int

// The roles, the least first. The zero value is that of nobody.
const (
	RoleNone      Role = iota
	RoleViewer         // sees the console
	RoleAccount        // and the figures of single customers, whose links and reports it makes
	RoleResponder      // and works on incidents
	RoleEditor         // and publishes, and changes what is measured
	RoleAdmin          // and decides who may do what
)

var roleNames = [...]string{"none", "viewer", "account", "responder", "editor", "admin"}

// Roles returns the roles that a person can have, the least first.
func Roles() []Role { return []Role{RoleViewer, RoleAccount, RoleResponder, RoleEditor, RoleAdmin} }

// RoleNames lists the roles in words.
func RoleNames() string { return strings.Join(roleNames[RoleViewer:], ", ") }

// ParseRole returns the role of a word; nobody's is none.
func ParseRole(s string) (Role, bool) {
	for _, r := range Roles() {
		if roleNames[r] == s {
			return r, true
		}
	}
	return RoleNone, false
}

// String returns the role in a word.
func (r Role) String() string {
	if r < 0 || int(r) >= len(roleNames) {
		return "unknown"
	}
	return roleNames[r]
}

// MarshalText writes the word.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the word of a role.
func (r *Role) UnmarshalText(text []byte) error {
	v, ok := ParseRole(string(text))
	if !ok {
		return fmt.Errorf("no role %.40q (known: %s)", text, RoleNames())
	}
	*r = v
	return nil
}
