package auth

import "strings"

// Audience says for whom a route is.
type Audience struct {
	kind  audienceKind
	scope Scope // of a machine
	role  Role  // the least of a person
}

type audienceKind int

const (
	undeclared audienceKind = iota // nobody may call it
	public
	machine
	signed
	internal
	health
	person
	local
)

// The audiences without a scope.
var (
	// Public is for everyone.
	Public = Audience{kind: public}
	// Signed is for services that prove with each request that they know a secret of the configuration.
	// Their routes see to it themselves.
	Signed = Audience{kind: signed}
	// Internal is for this machine, and elsewhere for people who may do everything. Who is signed in on this machine
	// and may not do everything only reads: a session is used to act as somebody, with what that person may do.
	Internal = Audience{kind: internal, role: RoleAdmin}
	// Health is for whoever reaches the internal listener without a proxy between: probes of a cluster.
	Health = Audience{kind: health}
)

// Machine is for who has a key of a scope.
func Machine(s Scope) Audience { return Audience{kind: machine, scope: s} }

// Person is for people who are signed in and have at least a role. No key of a machine lets in.
func Person(least Role) Audience { return Audience{kind: person, role: least} }

// InternalFor is for processes of this machine on which nobody is signed in, and here and elsewhere for people who
// are signed in and have at least a role: who is signed in is held to their role also on this machine.
func InternalFor(least Role) Audience { return Audience{kind: local, role: least} }

// Role returns the least role that a person needs, and whether the audience is people.
func (a Audience) Role() (Role, bool) { return a.role, a.kind == person }

// ActingRole returns the least role with which a person on this machine changes something, and whether the audience is
// this machine.
func (a Audience) ActingRole() (Role, bool) { return a.role, a.kind == internal }

// Local returns the least role that a person needs, and whether the audience is this machine and people.
func (a Audience) Local() (Role, bool) { return a.role, a.kind == local }

// Scope returns the scope that a machine's key needs, and whether the audience is machines.
func (a Audience) Scope() (Scope, bool) { return a.scope, a.kind == machine }

// String returns the audience in words.
func (a Audience) String() string {
	switch a.kind {
	case public:
		return "public"
	case machine:
		return "machine with scope " + string(a.scope)
	case signed:
		return "signed"
	case internal:
		return "internal"
	case health:
		return "health"
	case person:
		return "person with role " + a.role.String()
	case local:
		return "internal, or person with role " + a.role.String()
	default:
		return "undeclared"
	}
}

// MethodGRPC is the method of gRPC calls in a Table.
const MethodGRPC = "GRPC"

// Table declares the audience of every route, as "METHOD /path" with the path as it was registered. A path
// that ends in * stands for all that begin so, a method * for all methods.
type Table map[string]Audience

// Of returns the audience of a route. An exact entry goes before a longer prefix, and that before a shorter.
func (t Table) Of(method, path string) (Audience, bool) {
	for _, m := range []string{method, "*"} {
		if a, ok := t[m+" "+path]; ok {
			return a, true
		}
	}
	best, found := "", Audience{}
	for pattern, a := range t {
		m, p, _ := strings.Cut(pattern, " ")
		prefix, ok := strings.CutSuffix(p, "*")
		if ok && (m == method || m == "*") && strings.HasPrefix(path, prefix) && (best == "" || len(prefix) > len(best)) {
			best, found = prefix, a
		}
	}
	return found, best != ""
}
