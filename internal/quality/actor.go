package quality

import "time"

// ActorKind says what sort of caller acts.
type ActorKind string

// The kinds of actors. What people alone may do, a machine may not, whatever it holds.
const (
	ActorHuman   ActorKind = "human"
	ActorMachine ActorKind = "machine"
)

// Actor is who does something.
type Actor struct {
	Kind       ActorKind `json:"kind"`
	ID         string    `json:"id"`             // subject of the login, id of the key, name of the rule
	Name       string    `json:"name,omitempty"` // as people know it
	Credential string    `json:"credential"`     // session, key, link, rule, loopback
}

// Human reports whether it is an authenticated person.
func (a Actor) Human() bool { return a.Kind == ActorHuman }

// String is the name, or the id where there is none.
func (a Actor) String() string {
	if a.Name != "" {
		return a.Name
	}
	return a.ID
}

// Audited is one entry of the audit log, which is only ever appended to.
type Audited struct {
	ID     string    `json:"id"` // unique and stable: the same entry twice has the same id
	At     time.Time `json:"at"`
	Actor  Actor     `json:"actor"`
	Action string    `json:"action"`           // such as incident.published
	Object string    `json:"object"`           // such as incident/inc_01J
	Detail string    `json:"detail,omitempty"` // in words; never a secret
	From   string    `json:"from,omitempty"`   // address of the caller
}
