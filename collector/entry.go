package collector

import (
	"fmt"
	"slices"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// entry is one line of the index of ids.
type entry struct {
	key   string
	value []byte
}

// The keys of the index. Those of samples begin with the name of a feature, which is never empty; the
// others begin with a zero byte, so that the two cannot meet.
func idKey(feature, id string) string { return feature + "\x00" + id }

const (
	aliasPrefix  = "\x00alias\x00"  // of a sample, by another name
	scoredPrefix = "\x00scored\x00" // a score that came apart from its sample was handed on
	orphanPrefix = "\x00orphan\x00" // feedback whose sample has not come
)

func aliasKey(name string) string { return aliasPrefix + name }

// scoredKey tells scores of one sample apart by what they measure and who gave them.
func scoredKey(sample, metric, by string) string {
	return scoredPrefix + sample + "\x00" + metric + "\x00" + by
}

// facts are what a later score takes from its sample. Absent facts mean that the output was not kept.
type facts struct {
	Time       time.Time         `json:"t"`
	Customer   string            `json:"c,omitempty"`
	Model      string            `json:"m,omitempty"`
	Prompt     string            `json:"p,omitempty"`
	Source     string            `json:"s,omitempty"`
	Attributes map[string]string `json:"a,omitempty"`
	Weight     float64           `json:"w,omitempty"`
	Said       []string          `json:"d,omitempty"` // scores that came with the sample, as "metric\x00by"
}

func saidKey(metric, by string) string { return metric + "\x00" + by }

// saidBy lists what feedback says that was joined into a sample and names its giver.
func saidBy(joined []quality.Feedback) (out []string) {
	for i := range joined {
		if joined[i].By != "" {
			out = append(out, saidKey(joined[i].Metric, joined[i].By))
		}
	}
	return out
}

// factsOf makes the facts of a sample; joined are the scores in it whose givers are known.
func factsOf(s *quality.Sample, joined []string) ([]byte, error) {
	said := slices.Clone(joined)
	for metric := range s.Scores {
		said = append(said, saidKey(metric, ""))
	}
	slices.Sort(said)
	data, err := wire.Marshal(facts{Said: slices.Compact(said), Time: s.Time, Customer: s.Customer, Model: s.Model, Prompt: s.Prompt, Source: s.Source,
		Attributes: s.Attributes, Weight: s.Weight})
	if err != nil {
		return nil, fmt.Errorf("encoding the facts of sample %q: %w", s.ID, err)
	}
	return data, nil
}

// entriesOf reads what the index keeps of a message of the hand-off.
func entriesOf(message []byte) ([]entry, error) {
	d, err := wire.ReadDelivery(message)
	if err != nil {
		return nil, fmt.Errorf("reading the ids of a message: %w", err)
	}
	said := map[quality.SampleKey][]string{}
	for _, x := range d.Said {
		said[x.Sample] = x.Scores
	}
	out := make([]entry, 0, len(d.Samples)+len(d.Dropped)+len(d.Aliases)+len(d.Scores))
	for i := range d.Samples {
		s := &d.Samples[i]
		value, err := factsOf(s, said[quality.SampleKey{Feature: s.Feature, ID: s.ID}])
		if err != nil {
			return nil, err
		}
		out = append(out, entry{idKey(s.Feature, s.ID), value})
	}
	for _, k := range d.Dropped {
		out = append(out, entry{key: idKey(k.Feature, k.ID)})
	}
	for _, a := range d.Aliases {
		out = append(out, aliasEntry(a))
	}
	for i := range d.Scores {
		out = append(out, scoredEntry(&d.Scores[i]))
	}
	return out, nil
}

func aliasEntry(a quality.Alias) entry {
	return entry{aliasKey(a.Name), []byte(idKey(a.Sample.Feature, a.Sample.ID))}
}

func scoredEntry(s *quality.Score) entry {
	return entry{key: scoredKey(idKey(s.Feature, s.SampleID), s.Metric, s.By)}
}
