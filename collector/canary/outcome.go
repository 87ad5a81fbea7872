package canary

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/asgood-dev/asgood/internal/quality"
)

// expectation judges an answer. A nil one has no opinion.
type expectation func(output string) bool

// expectationOf reads what a prompt expects.
func expectationOf(p *quality.CanaryPrompt) (expectation, error) {
	e := p.Expect
	if e == nil {
		return nil, nil
	}
	fold := func(s string) string { return s }
	if e.IgnoreCase {
		fold = strings.ToLower
	}
	switch {
	case e.Regex != "":
		pattern := e.Regex
		if e.IgnoreCase {
			pattern = "(?i)" + pattern
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, fmt.Errorf("pattern of prompt %q: %w", p.ID, err)
		}
		return re.MatchString, nil
	case e.Contains != "":
		want := fold(e.Contains)
		return func(output string) bool { return strings.Contains(fold(output), want) }, nil
	case e.Reference && p.Reference != nil:
		want := fold(strings.TrimSpace(*p.Reference))
		return func(output string) bool { return fold(strings.TrimSpace(output)) == want }, nil
	default:
		return nil, fmt.Errorf("prompt %q expects nothing that can be checked", p.ID)
	}
}

// tally counts the answers to one prompt in one run.
type tally struct {
	expect   expectation
	answers  int
	met      int
	failed   int
	outcomes map[uint64]int // how often each answer came
	problem  string         // the first failure
}

func newTally(e expectation) *tally { return &tally{expect: e, outcomes: map[uint64]int{}} }

func (t *tally) add(s *quality.Sample) {
	if s.Error != "" {
		t.failed++
		if t.problem == "" {
			t.problem = s.Error
		}
		return
	}
	t.answers++
	if t.expect != nil && t.expect(s.Output.Last()) {
		t.met++
	}
	t.outcomes[outcome(s)]++
}

// outcome tells answers apart: by their text, trimmed, and the tools they called.
func outcome(s *quality.Sample) uint64 {
	h := xxhash.New()
	_, _ = h.WriteString(strings.TrimSpace(s.Output.Last())) // never fails
	for _, t := range s.Tools {
		_, _ = fmt.Fprintf(h, "\x00%s\x00%s", t.Name, t.Arguments)
	}
	return h.Sum64()
}

func (t *tally) kind() quality.BehaviourKind {
	if t.expect != nil {
		return quality.BehaviourExpected
	}
	return quality.BehaviourSame
}

// count is the answers that behaved as the kind of the tally says.
func (t *tally) count() int {
	if t.expect != nil {
		return t.met
	}
	most := 0
	for _, n := range t.outcomes {
		most = max(most, n)
	}
	return most
}

func (t *tally) rate() quality.BehaviourRate {
	r := quality.NewBehaviourRate(t.count(), t.answers)
	r.Kind, r.Failed = t.kind(), t.failed
	return r
}

// together is the rate of all prompts: of those that expect something, where there are any, because their
// answers are judged; else of all. Every prompt was asked equally often, so the interval is rather too wide
// than too narrow for the prompts as they are.
func together(tallies []*tally) quality.BehaviourRate {
	kind := quality.BehaviourSame
	for _, t := range tallies {
		if t.expect != nil {
			kind = quality.BehaviourExpected
		}
	}
	count, n, failed := 0, 0, 0
	for _, t := range tallies {
		failed += t.failed
		if t.kind() == kind {
			count, n = count+t.count(), n+t.answers
		}
	}
	r := quality.NewBehaviourRate(count, n)
	r.Kind, r.Failed = kind, failed
	return r
}

// stamp says of which canary, prompt and run a rate is.
func (c *canary) stamp(r quality.BehaviourRate, prompt string, at time.Time) quality.BehaviourRate {
	r.Feature, r.Canary, r.PromptID, r.At = c.feature, c.spec.Name, prompt, at
	return r
}
