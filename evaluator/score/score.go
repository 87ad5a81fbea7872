// Package score turns a sample into scores by rules that need no model and no network: patterns, schemas,
// references, contracts of tool calls, refusals, languages, likeness to a reference, groundedness,
// readability, figures of the call itself, expressions, and external scores that came with the sample.
//
// A scorer is built once from its configuration and is then safe for use by several goroutines. It says the
// same of the same sample at any time. A score that could not be made carries an error and never counts as
// 0; a sample that lacks what a scorer looks at gets no score. The package leaves out what a score means:
// baselines, monitors and judges are not here.
package score

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/expression"
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

	TypeToolCalls      = "tool_calls"
	TypeRefusal        = "refusal"
	TypeLanguage       = "language"
	TypeRougeL         = "rouge_l"
	TypeEditSimilarity = "edit_similarity"
	TypeGrounded       = "grounded"
	TypeReadability    = "readability"
	TypeLatency        = "latency"
	TypeCost           = "cost"
	TypeTokens         = "tokens"
	TypeExpr           = "expr"
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
	if !slices.Contains([]string{"", "last", "all", quality.OnConversation}, spec.On) {
		return nil, quality.Errorf(quality.KindInvalid, `scorer %q: field "on": want last, all or conversation, got %q`, spec.Name, spec.On)
	}
	return &ruleScorer{metric: spec.Name, kind: spec.Type, version: Version(spec), spec: spec, eval: eval, bare: bare(spec.Type)}, nil
}

// Unbounded reports whether the metric of a scorer has no bounds unless a monitor gives some.
func Unbounded(spec quality.ScorerSpec) bool {
	if spec.Type != TypeExpr {
		return spec.Unbounded()
	}
	p, err := expression.Compile(spec.Expr)
	return err == nil && p.Number()
}

// bare reports whether scorers of a type look at the call and need no output.
func bare(kind string) bool {
	return slices.Contains([]string{TypeToolCalls, TypeLatency, TypeCost, TypeTokens}, kind)
}

// rule scores a text. skip means that there is nothing to score.
type rule func(text string, s *quality.Sample) (v verdict, skip bool)

// verdict is a value with what a reader may want to know of it.
type verdict struct {
	value       float64
	label       string
	explanation string
	failure     string // why no value could be made; it makes the score a failed one
}

// makers build the rule of each type.
func makers() map[string]func(quality.ScorerSpec) (rule, error) {
	return map[string]func(quality.ScorerSpec) (rule, error){
		TypeRegex: newRegex, TypeReference: newReference, TypeJSONSchema: newJSONSchema, TypeContains: newContains, TypeLength: newLength,
		TypeToolCalls: newToolCalls, TypeRefusal: newRefusal, TypeLanguage: newLanguage, TypeRougeL: newRougeL,
		TypeEditSimilarity: newEditSimilarity, TypeGrounded: newGrounded, TypeReadability: newReadability,
		TypeLatency: newLatency, TypeCost: newCost, TypeTokens: newTokens, TypeExpr: newExpr,
	}
}

// Types returns the names of the types, external included, in the order of the alphabet.
func Types() []string {
	types := []string{TypeExternal}
	for name := range makers() {
		types = append(types, name)
	}
	slices.Sort(types)
	return types
}

func newRule(spec quality.ScorerSpec) (rule, error) {
	if newOne := makers()[spec.Type]; newOne != nil {
		return newOne(spec)
	}
	return nil, quality.Errorf(quality.KindInvalid, "field \"type\": unknown scorer type %q, want one of %s", spec.Type, strings.Join(Types(), ", "))
}

type ruleScorer struct {
	metric, kind, version string
	spec                  quality.ScorerSpec
	eval                  rule
	bare                  bool // needs no output
}

// Score implements Scorer.
func (r *ruleScorer) Score(s quality.Sample) (scores []quality.Score) {
	if !r.spec.Takes(&s) {
		return nil
	}
	if s.Output.IsZero() && !r.bare {
		// A call that failed has no output to judge; a turn that only calls tools has none yet.
		if s.Error == "" {
			return nil
		}
		return r.say(&s, verdict{failure: "no output to score: the sample carries an error"})
	}
	defer func() {
		if p := recover(); p != nil {
			scores = r.say(&s, verdict{failure: fmt.Sprintf("scorer panicked: %v", p)})
		}
	}()
	text := ""
	if !r.bare {
		text = r.spec.Read(s.Output)
	}
	v, skip := r.eval(text, &s)
	if skip {
		return nil
	}
	return r.say(&s, v)
}

func (r *ruleScorer) say(s *quality.Sample, v verdict) []quality.Score {
	out := newScore(s, r.metric, r.kind, r.version)
	if out.Error = v.failure; v.failure == "" {
		out.Value, out.Label, out.Explanation = v.value, v.label, v.explanation
		finite(&out)
	}
	return []quality.Score{out}
}

func newScore(s *quality.Sample, metric, kind, version string) quality.Score {
	out := quality.NewScore(s, metric, kind, version)
	out.Late = false
	return out
}

// finite makes a value that is no number an error: it could neither be averaged nor written as JSON.
func finite(s *quality.Score) {
	if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		s.Error = fmt.Sprintf("value %v is not a finite number", s.Value)
		s.Value = 0
	}
}
