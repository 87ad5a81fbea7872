// Package wording knows what a text about an incident must say: the facts that customers need, and templates
// that are filled with them.
//
// It owns the list of facts, the check that a text carries them, and the form of templates: a closed set of
// fields, no functions, a bounded result. It does not know where facts come from, and stores nothing.
package wording

import (
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// MaxFact is how many bytes a fact has at most.
const MaxFact = 2000

// Facts are what a text about an incident tells, each as one or more sentences in Markdown. An empty one is
// not known.
type Facts struct {
	What      string `json:"what,omitempty"`      // what is worse
	Size      string `json:"size,omitempty"`      // by how much
	Since     string `json:"since,omitempty"`     // since when
	Who       string `json:"who,omitempty"`       // who is affected
	Changed   string `json:"changed,omitempty"`   // what changed
	Done      string `json:"done,omitempty"`      // what was done
	Meanwhile string `json:"meanwhile,omitempty"` // what to do meanwhile
	Fixed     string `json:"fixed,omitempty"`     // how we will know that it is fixed
	Next      string `json:"next,omitempty"`      // when the next update comes
}

// fact is one of them with the name by which it is asked for.
type fact struct{ name, text string }

func (f *Facts) list() []fact {
	return []fact{
		{"what is worse", f.What}, {"by how much", f.Size}, {"since when", f.Since}, {"who is affected", f.Who},
		{"what changed", f.Changed}, {"what was done", f.Done}, {"what to do meanwhile", f.Meanwhile},
		{"how we will know that it is fixed", f.Fixed}, {"when the next update comes", f.Next},
	}
}

// availability are the facts of an incident in which nothing is measured but whether there is an answer.
var availability = map[string]bool{"what is worse": true, "since when": true, "what was done": true, "when the next update comes": true}

// Over returns the facts with those of over in their place where it knows them.
func (f Facts) Over(over Facts) Facts {
	for _, x := range []struct{ to, from *string }{
		{&f.What, &over.What}, {&f.Size, &over.Size}, {&f.Since, &over.Since}, {&f.Who, &over.Who}, {&f.Changed, &over.Changed},
		{&f.Done, &over.Done}, {&f.Meanwhile, &over.Meanwhile}, {&f.Fixed, &over.Fixed}, {&f.Next, &over.Next},
	} {
		if *x.from != "" {
			*x.to = *x.from
		}
	}
	return f
}

// Check refuses facts that are too long.
func (f Facts) Check() error {
	for _, x := range f.list() {
		if len(x.text) > MaxFact {
			return quality.Errorf(quality.KindInvalid, "facts: %s has %d bytes, at most %d", x.name, len(x.text), MaxFact)
		}
	}
	return nil
}

// Said is one text and the facts that its author knew.
type Said struct {
	Text  string
	Facts Facts
}

// Missing returns the facts that none of the texts carries, in their order. A fact is carried when it is known
// and its words stand in the text: that somebody knows it does not tell it.
func Missing(kind quality.IncidentKind, said []Said) (missing []string) {
	carried := map[string]bool{}
	for _, s := range said {
		text := flat(s.Text)
		for _, x := range s.Facts.list() {
			if words := flat(x.text); words != "" && strings.Contains(text, words) {
				carried[x.name] = true
			}
		}
	}
	for _, x := range (&Facts{}).list() {
		if needed := kind != quality.IncidentAvailability || availability[x.name]; needed && !carried[x.name] {
			missing = append(missing, x.name)
		}
	}
	return missing
}

// Complete returns the text with what an incident of the kind needs and the text does not carry in a paragraph behind
// it, as far as it is known.
func Complete(kind quality.IncidentKind, text string, facts Facts) string {
	var rest []string
	for _, name := range Missing(kind, []Said{{text, facts}}) {
		for _, x := range facts.list() {
			if x.name == name && flat(x.text) != "" {
				rest = append(rest, strings.TrimSpace(x.text))
			}
		}
	}
	if len(rest) == 0 {
		return text
	}
	return strings.TrimSpace(text) + "\n\n" + strings.Join(rest, " ")
}

// flat makes all white space one space, so that a line that was wrapped is still the same.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }
