package collector

import (
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// trafficKey is a minute and slice of the traffic.
type trafficKey struct {
	minute                   int64 // Unix minutes
	feature, customer, model string
	attributes               string // sliced attributes in order, as "name\x00value\x00"
}

type trafficCount struct{ total, kept, errors uint64 }

// perSample is about what a message takes of each sample beside its data; messageRest is about what a message
// has beside its samples.
const (
	perSample   = 4
	messageRest = 4 << 10
)

// pack makes a message of the hand-off of the jobs and lists what the index keeps of it. It is nil when nothing is
// left that was not handed off before.
func pack(batch []*job) (message []byte, entries []entry, err error) {
	size, kept, count := messageRest, 0, 0
	for _, j := range batch {
		size, count = size+j.size+perSample*len(j.items), count+len(j.items)
		for i := range j.items {
			if j.items[i].isKept() {
				kept++
			}
		}
	}
	w := wire.NewDeliveryWriter(kept, size)
	p := packer{entries: make([]entry, 0, count), traffic: map[trafficKey]trafficCount{}}
	for _, j := range batch {
		for i := range j.items {
			if j.items[i].isKept() {
				w.Sample(j.items[i].data)
			}
			p.note(&j.items[i])
		}
	}
	if len(p.entries) == 0 && len(p.traffic) == 0 {
		return nil, nil, nil
	}
	p.rest.Traffic = trafficRows(p.traffic)
	message, err = w.Finish(&p.rest)
	return message, p.entries, err
}

// isKept reports whether the sample itself goes into a message.
func (it *item) isKept() bool { return it.data != nil && !it.duplicate }

// packer gathers what a message has beside its samples.
type packer struct {
	entries []entry
	rest    quality.Delivery
	traffic map[trafficKey]trafficCount
}

func (p *packer) note(it *item) {
	switch {
	case it.duplicate:
		return
	case it.score != nil:
		p.rest.Scores = append(p.rest.Scores, *it.score)
		p.entries = append(p.entries, scoredEntry(it.score))
		return
	case it.data == nil:
		p.rest.Dropped = append(p.rest.Dropped, it.id)
	}
	p.entries = append(p.entries, entry{idKey(it.id.Feature, it.id.ID), it.facts})
	if len(it.said) > 0 {
		p.rest.Said = append(p.rest.Said, quality.Said{Sample: it.id, Scores: it.said})
	}
	for _, name := range it.aliases {
		a := quality.Alias{Name: name, Sample: it.id}
		p.rest.Aliases, p.entries = append(p.rest.Aliases, a), append(p.entries, aliasEntry(a))
	}
	if it.counted {
		p.count(it)
	}
}

func (p *packer) count(it *item) {
	n := p.traffic[it.slice]
	n.total++
	if it.data != nil {
		n.kept++
	}
	if it.failed {
		n.errors++
	}
	p.traffic[it.slice] = n
}

func trafficRows(counts map[trafficKey]trafficCount) []quality.Traffic {
	rows := make([]quality.Traffic, 0, len(counts))
	for key, n := range counts {
		rows = append(rows, quality.Traffic{
			Minute: time.Unix(key.minute*60, 0).UTC(), Feature: key.feature, Customer: key.customer, Model: key.model,
			Attributes: splitAttributes(key.attributes), Total: n.total, Kept: n.kept, Errors: n.errors,
		})
	}
	slices.SortFunc(rows, func(a, b quality.Traffic) int { return a.Minute.Compare(b.Minute) })
	return rows
}

// joinAttributes writes the values a sample has of some attributes; names and values hold no zero bytes
// that matter: one more would only split a count in two.
func joinAttributes(s *quality.Sample, names []string) string {
	if len(names) == 0 {
		return ""
	}
	var b strings.Builder
	for _, name := range names {
		if v := s.Attribute(name); v != "" {
			b.WriteString(name + "\x00" + v + "\x00")
		}
	}
	return b.String()
}

func splitAttributes(text string) map[string]string {
	parts := strings.Split(text, "\x00")
	var out map[string]string
	for i := 0; i+1 < len(parts); i += 2 {
		out = with(out, parts[i], parts[i+1])
	}
	return out
}

// with sets a key of a map that may not be there yet.
func with(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}
