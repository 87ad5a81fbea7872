package quality

import "time"

// AuditFilter chooses entries of the audit log. What is empty does not restrict.
type AuditFilter struct {
	From, To time.Time // To is not included
	Actor    string    // id
	Action   string    // or its beginning up to a dot: incident stands for incident.published
	Object   string
	Limit    int // 0 means 100, at most 1000
	After    AuditPlace
}

// AuditPlace is a place in the log, read from the newest to the oldest: that of an entry. The zero one is the begin.
type AuditPlace struct {
	At time.Time
	ID string
}
