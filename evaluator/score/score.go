// Package score turns a sample into scores by rules that need no model and no network: regex,
// reference, json_schema, contains, length, and external scores that came with the sample.
//
// A scorer is built once from its configuration and is then safe for use by several goroutines. A
// score that could not be made carries an error and never counts as 0. The package leaves out what a
// score means: baselines, monitors and judges are not here.
package score

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Scorer makes the scores of one configured scorer.
type Scorer interface {
	// Score returns the sample's scores: none when the sample has nothing to score, otherwise one by
	// metric. A score that could not be made has its Error set.
	Score(s quality.Sample) []quality.Score
}

// The types of scorers.
const (
	TypeRegex      = "regex"
	TypeReference  = "reference"
	TypeJSONSchema = "json_schema"
	TypeContains   = "contains"
	TypeLength     = "length"
	TypeExternal   = "external"
)

// VersionExternal is the version of every score that came with its sample: what made it is not known.
const VersionExternal = "external"

// New builds the scorer of a configuration entry. The error names the field that is wrong.
func New(spec quality.ScorerSpec) (Scorer, error) {
	if spec.Type == TypeExternal {
		return newExternal(spec), nil
	}
	if spec.Name == "" {
		return nil, quality.Errorf(quality.KindInvalid, `scorer: field "name": required`)
	}
	eval, err := newRule(spec)
	if err != nil {
		return nil, fmt.Errorf("scorer %q: %w", spec.Name, err)
	}
	read, err := reader(spec.On)
	if err != nil {
		return nil, fmt.Errorf("scorer %q: %w", spec.Name, err)
	}
	return &ruleScorer{metric: spec.Name, kind: spec.Type, version: Version(spec), spec: spec, read: read, eval: eval}, nil
}

// rule scores a text. skip means that there is nothing to score.
type rule func(text string, s *quality.Sample) (v verdict, skip bool)

// verdict is a value with what a reader may want to know of it.
type verdict struct {
	value       float64
	label       string
	explanation string
}

func newRule(spec quality.ScorerSpec) (rule, error) {
	switch spec.Type {
	case TypeRegex:
		return newRegex(spec)
	case TypeReference:
		return newReference(spec)
	case TypeJSONSchema:
		return newJSONSchema(spec)
	case TypeContains:
		return newContains(spec)
	case TypeLength:
		return newLength(spec)
	default:
		return nil, quality.Errorf(quality.KindInvalid,
			"field \"type\": unknown scorer type %q, want regex, reference, json_schema, contains, length or external", spec.Type)
	}
}

func reader(on string) (func(quality.Content) string, error) {
	switch on {
	case "", "last":
		return quality.Content.Last, nil
	case "all", quality.OnConversation:
		return quality.Content.All, nil
	default:
		return nil, quality.Errorf(quality.KindInvalid, `field "on": want last, all or conversation, got %q`, on)
	}
}

// Version returns a short hash of the type and of the settings that change what a scorer says. The
// name is left out: a renamed scorer still means the same.
func Version(spec quality.ScorerSpec) string {
	if spec.Type == TypeExternal {
		return VersionExternal
	}
	if spec.On == "" {
		spec.On = "last"
	}
	if spec.Match == "" {
		spec.Match = "first"
	}
	data, err := json.Marshal([]any{spec.Type, spec.Pattern, spec.Extract, spec.Match, spec.IgnoreCase,
		spec.SchemaText, spec.Any, spec.All, spec.On})
	if err != nil { // strings and bytes always marshal
		return spec.Type
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

type ruleScorer struct {
	metric, kind, version string
	spec                  quality.ScorerSpec
	read                  func(quality.Content) string
	eval                  rule
}

// Score implements Scorer.
func (r *ruleScorer) Score(s quality.Sample) (scores []quality.Score) {
	if !r.spec.Takes(&s) {
		return nil
	}
	out := newScore(&s, r.metric, r.kind, r.version)
	if s.Output.IsZero() {
		// A call that failed has no output to judge; a turn that only calls tools has none yet.
		if s.Error == "" {
			return nil
		}
		out.Error = "no output to score: the sample carries an error"
		return []quality.Score{out}
	}
	defer func() {
		if p := recover(); p != nil {
			out.Value, out.Error = 0, fmt.Sprintf("scorer panicked: %v", p)
			scores = []quality.Score{out}
		}
	}()
	v, skip := r.eval(r.read(s.Output), &s)
	if skip {
		return nil
	}
	out.Value, out.Label, out.Explanation = v.value, v.label, v.explanation
	finite(&out)
	return []quality.Score{out}
}

func newScore(s *quality.Sample, metric, kind, version string) quality.Score {
	source := s.Source
	if source == quality.SourceConversation {
		source = "" // the metric has no other scores, and these are of what customers had
	}
	return quality.Score{
		Feature: s.Feature, SampleID: s.ID, Time: s.Time, Metric: metric, Scorer: kind, Version: version,
		Weight: s.KeptWeight(), Source: source, Customer: s.Customer, Model: s.Model, Prompt: s.Prompt, Attributes: s.Attributes,
	}
}

// finite makes a value that is no number an error: it could neither be averaged nor written as JSON.
func finite(s *quality.Score) {
	if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		s.Error = fmt.Sprintf("value %v is not a finite number", s.Value)
		s.Value = 0
	}
}
