// Package redact replaces personal data and secrets in samples by pseudonyms before anything is stored:
// addresses, numbers, keys and tokens, named fields, and what own patterns find.
//
// A pseudonym such as [email:1f3a9c2e] is a kind and a keyed hash of the customer and of what stood
// there in its plain form, so the same address of the same customer has one pseudonym in every sample,
// however it was written, and none that another customer's samples share. Hashes have 32 bits: two
// values of one customer may share a pseudonym, one in a thousand once there are some 3,000 of a kind.
//
// Text is read once. A table says which bytes can belong to something, and only there is it looked
// closer, so ordinary text costs little more than reading it. All work is linear in the text, whatever the text.
//
// The package is pure: it stores, logs and counts nothing by itself, and it does not know where its key
// comes from. It may be imported by the collector and by internal/app.
package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"regexp"
	"sync"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Kind is what was replaced.
type Kind int

// The kinds. Pattern is what own patterns find, whatever their names.
const (
	Email Kind = iota
	Phone
	CreditCard
	IBAN
	IP
	Secret
	Field
	Pattern

	kinds // how many there are
)

var kindNames = [kinds]string{
	quality.RedactEmail, quality.RedactPhone, quality.RedactCreditCard, quality.RedactIBAN, quality.RedactIP,
	quality.RedactSecret, quality.RedactField, "pattern",
}

// String returns the name of the kind, fit for the label of a metric.
func (k Kind) String() string {
	if k < 0 || k >= kinds {
		return "unknown"
	}
	return kindNames[k]
}

// Counts holds how many replacements were made of each Kind.
type Counts [kinds]int

// Total returns how many replacements were made.
func (c Counts) Total() int {
	sum := 0
	for _, n := range c {
		sum += n
	}
	return sum
}

// MinKey is the least number of bytes of a key.
const MinKey = 16

// Options configures a Redactor.
type Options struct {
	Key   []byte               // secret, MinKey bytes or more; another key gives other pseudonyms
	Rules []quality.RedactRule // nil means quality.DefaultRedact, empty means that nothing is replaced
}

// Redactor replaces what its rules name. It is safe for concurrent use.
type Redactor struct {
	on       [kinds]bool
	triggers [256]trigger
	fields   []string // of named fields
	patterns []pattern
	names    []string // that may stand in a pseudonym
	workers  sync.Pool
}

// pattern is an own pattern.
type pattern struct {
	name  string
	re    *regexp.Regexp
	group int // the group that is replaced; 0 for all
}

// New returns a Redactor. An error has the kind quality.KindInvalid and names the rule.
func New(o Options) (*Redactor, error) {
	if len(o.Key) < MinKey {
		return nil, quality.Errorf(quality.KindInvalid, "redaction key: %d bytes, want %d or more", len(o.Key), MinKey)
	}
	if o.Rules == nil {
		o.Rules = quality.DefaultRedact()
	}
	r := &Redactor{names: append(quality.RedactKinds(), quality.RedactField)}
	for i, rule := range o.Rules {
		if err := r.add(rule); err != nil {
			return nil, fmt.Errorf("redaction rule %d: %w", i+1, err)
		}
	}
	if len(r.patterns) > quality.MaxRedactPatterns || len(r.fields) > quality.MaxRedactFields {
		return nil, quality.Errorf(quality.KindInvalid, "redaction rules: %d patterns and %d fields, at most %d and %d",
			len(r.patterns), len(r.fields), quality.MaxRedactPatterns, quality.MaxRedactFields)
	}
	r.triggers = r.table()
	key := append([]byte(nil), o.Key...)
	r.workers.New = func() any { return &worker{r: r, mac: hmac.New(sha256.New, key)} }
	return r, nil
}

func (r *Redactor) add(rule quality.RedactRule) error {
	if err := rule.Validate(); err != nil {
		return err
	}
	switch {
	case rule.Kind != "":
		for k, name := range kindNames {
			r.on[k] = r.on[k] || name == rule.Kind
		}
	case rule.Field != "":
		r.fields = append(r.fields, rule.Field)
	default:
		re, err := quality.CompileRedactPattern(rule.Pattern)
		if err != nil {
			return err
		}
		r.patterns = append(r.patterns, pattern{name: rule.Name, re: re, group: min(re.NumSubexp(), 1)})
		r.names = append(r.names, rule.Name)
	}
	return nil
}

// nothing reports whether there is no rule.
func (r *Redactor) nothing() bool {
	return r.on == [kinds]bool{} && len(r.fields) == 0 && len(r.patterns) == 0
}

// Text returns s with everything replaced that the rules find; s itself when they find nothing. Text
// that is JSON stays JSON, and named fields count in it too. What was replaced before is left alone.
func (r *Redactor) Text(customer, s string) string {
	if r.nothing() || s == "" {
		return s
	}
	w := r.worker(customer)
	defer w.release()
	return w.text(s, 0)
}

// JSON returns raw with everything replaced that the rules find in its strings, and the whole values
// of named fields; raw itself when they find nothing. Keys, and numbers under other keys, stay. What is not
// JSON is taken as text.
func (r *Redactor) JSON(customer string, raw []byte) []byte {
	if r.nothing() || len(raw) == 0 {
		return raw
	}
	w := r.worker(customer)
	defer w.release()
	return w.raw(raw)
}

// Sample replaces in place everything that the rules find in input, output, reference, context, params,
// tools, error and attributes, and says how often. Ids, names, the model and the customer stay: they are
// what a sample is found by. What it changes it copies first, so samples may share their maps and lists.
func (r *Redactor) Sample(s *quality.Sample) Counts {
	if r.nothing() {
		return Counts{}
	}
	w := r.worker(s.Customer)
	defer w.release()
	w.sample(s)
	return w.counts
}

func (r *Redactor) worker(customer string) *worker {
	w, _ := r.workers.Get().(*worker) // the pool makes nothing else
	w.customer, w.counts = customer, Counts{}
	return w
}
