package collector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// trafficKey is a minute and slice of the traffic.
type trafficKey struct {
	minute                   int64 // Unix minutes
	feature, customer, model string
	attributes               string // sliced attributes in order, as "name\x00value\x00"
}

type trafficCount struct{ total, kept, errors uint64 }

// pack makes a message of the hand-off of the jobs, a quality.Delivery as JSON, and lists what the index
// keeps of it. It is nil when nothing is left that was not handed off before.
func pack(batch []*job) (message []byte, entries []entry, err error) {
	size, count := 256, 0
	for _, j := range batch {
		size, count = size+j.size, count+len(j.items)
	}
	p := packer{buf: bytes.NewBuffer(make([]byte, 0, size)), entries: make([]entry, 0, count),
		traffic: map[trafficKey]trafficCount{}}
	p.buf.WriteByte('{')
	p.samples(batch)
	for _, j := range batch {
		for i := range j.items {
			p.note(&j.items[i])
		}
	}
	if err := p.rest(); err != nil {
		return nil, nil, err
	}
	if p.empty {
		return nil, nil, nil
	}
	p.buf.WriteByte('}')
	return p.buf.Bytes(), p.entries, nil
}

type packer struct {
	buf     *bytes.Buffer
	entries []entry
	dropped []quality.SampleKey
	scores  []quality.Score
	aliases []quality.Alias
	said    []quality.Said
	traffic map[trafficKey]trafficCount
	empty   bool
}

// samples writes those that are kept, which are JSON already.
func (p *packer) samples(batch []*job) {
	p.buf.WriteString(`"samples":[`)
	start := p.buf.Len()
	for _, j := range batch {
		for i := range j.items {
			if it := &j.items[i]; it.data != nil && !it.duplicate {
				if p.buf.Len() > start {
					p.buf.WriteByte(',')
				}
				p.buf.Write(it.data)
			}
		}
	}
	p.buf.WriteByte(']')
}

func (p *packer) note(it *item) {
	switch {
	case it.duplicate:
		return
	case it.score != nil:
		p.scores = append(p.scores, *it.score)
		p.entries = append(p.entries, scoredEntry(it.score))
		return
	case it.data == nil:
		p.dropped = append(p.dropped, it.id)
	}
	p.entries = append(p.entries, entry{idKey(it.id.Feature, it.id.ID), it.facts})
	if len(it.said) > 0 {
		p.said = append(p.said, quality.Said{Sample: it.id, Scores: it.said})
	}
	for _, name := range it.aliases {
		a := quality.Alias{Name: name, Sample: it.id}
		p.aliases, p.entries = append(p.aliases, a), append(p.entries, aliasEntry(a))
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

// rest writes all but the samples.
func (p *packer) rest() error {
	p.empty = len(p.entries) == 0 && len(p.traffic) == 0
	for _, part := range []struct {
		name string
		v    any
		n    int
	}{
		{"dropped", p.dropped, len(p.dropped)}, {"traffic", trafficRows(p.traffic), len(p.traffic)},
		{"scores", p.scores, len(p.scores)}, {"aliases", p.aliases, len(p.aliases)}, {"said", p.said, len(p.said)},
	} {
		if part.n == 0 {
			continue
		}
		data, err := json.Marshal(part.v)
		if err != nil {
			return fmt.Errorf("encoding %s: %w", part.name, err)
		}
		fmt.Fprintf(p.buf, ",%q:", part.name)
		p.buf.Write(data)
	}
	return nil
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
