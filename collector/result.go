package collector

import "github.com/asgood-dev/asgood/internal/quality"

// Result says what became of the records of a request.
type Result struct {
	Accepted   int         `json:"accepted"`           // new, and durable
	NotKept    int         `json:"not_kept,omitempty"` // of Accepted: counted and, by sampling, not kept
	Checked    int         `json:"checked,omitempty"`  // of a dry run: good, and not taken in
	Duplicates int         `json:"duplicates"`         // known by their ids, and durable
	Refused    int         `json:"refused"`            // all that were refused
	Rejected   []Rejection `json:"rejected"`           // the first MaxRejections of them

	tooLarge  int // of Refused
	forbidden int // of Refused
}

// Rejection is one record that was refused. It has either a line or an index.
type Rejection struct {
	Line  int    `json:"line,omitempty"`  // of NDJSON, 1-based
	Index *int   `json:"index,omitempty"` // in an array, 0-based
	Error string `json:"error"`
}

// place says where in a body a record was found.
type place struct {
	line  int // 0 when the body has no lines
	index int
}

func atIndex(i int) place { return place{index: i} }
func atLine(n int) place  { return place{line: n} }

func (r *Result) reject(at place, err error) {
	r.Refused++
	switch quality.KindOf(err) {
	case quality.KindTooLarge:
		r.tooLarge++
	case quality.KindForbidden:
		r.forbidden++
	}
	if len(r.Rejected) >= MaxRejections {
		return
	}
	rejection := Rejection{Line: at.line, Error: err.Error()}
	if at.line == 0 {
		rejection.Index = &at.index
	}
	r.Rejected = append(r.Rejected, rejection)
}
