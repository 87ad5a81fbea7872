package score

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/asgood-dev/asgood/internal/expression"
	"github.com/asgood-dev/asgood/internal/quality"
)

// newLatency is the time the output took, in milliseconds. A sample that does not say it is not scored.
func newLatency(quality.ScorerSpec) (rule, error) {
	return func(_ string, s *quality.Sample) (verdict, bool) {
		switch {
		case s.LatencyMS == 0:
			return verdict{}, true
		case s.LatencyMS < 0:
			return verdict{failure: fmt.Sprintf("a latency of %v ms", s.LatencyMS)}, false
		}
		return verdict{value: s.LatencyMS}, false
	}, nil
}

// usage returns the tokens of a sample; ok is false when it does not say them.
func usage(s *quality.Sample) (u quality.Usage, ok bool) {
	if s.Usage == nil || *s.Usage == (quality.Usage{}) {
		return quality.Usage{}, false
	}
	return *s.Usage, true
}

// newCost is what the output cost. A model without a price is a failed score: 0 would hide it.
func newCost(spec quality.ScorerSpec) (rule, error) {
	if len(spec.Prices) == 0 {
		return nil, quality.Errorf(quality.KindInvalid, `field "prices": required`)
	}
	for _, model := range slices.Sorted(maps.Keys(spec.Prices)) {
		for _, price := range []float64{spec.Prices[model].Input, spec.Prices[model].Output} {
			if !(price >= 0) || math.IsInf(price, 0) {
				return nil, quality.Errorf(quality.KindInvalid, `field "prices", %q: want 0 or more, got %v`, model, price)
			}
		}
	}
	prices := maps.Clone(spec.Prices)
	return func(_ string, s *quality.Sample) (verdict, bool) {
		u, ok := usage(s)
		if !ok {
			return verdict{}, true
		}
		price, ok := quality.PriceOf(prices, s.Model)
		if !ok {
			return verdict{failure: fmt.Sprintf("no price of the model %q", clip(s.Model))}, false
		}
		return verdict{value: (float64(u.InputTokens)*price.Input + float64(u.OutputTokens)*price.Output) / 1e6}, false
	}, nil
}

// newTokens counts tokens as the sample says them.
func newTokens(spec quality.ScorerSpec) (rule, error) {
	count := or(spec.Count, "total")
	if !slices.Contains([]string{"total", "input", "output"}, count) {
		return nil, quality.Errorf(quality.KindInvalid, `field "count": want total, input or output, got %q`, count)
	}
	return func(_ string, s *quality.Sample) (verdict, bool) {
		u, ok := usage(s)
		if !ok {
			return verdict{}, true
		}
		n := 0.0
		if count != "output" {
			n += float64(u.InputTokens)
		}
		if count != "input" {
			n += float64(u.OutputTokens)
		}
		return verdict{value: n}, false
	}, nil
}

// newExpr is what an expression says of the sample. One that cannot be evaluated is a failed score.
func newExpr(spec quality.ScorerSpec) (rule, error) {
	p, err := expression.Compile(spec.Expr)
	if err != nil {
		return nil, fmt.Errorf("field \"expr\": %w", err)
	}
	return func(text string, s *quality.Sample) (verdict, bool) {
		value, ok, err := p.Run(s, text)
		if err != nil {
			return verdict{failure: "the expression: " + clipTo(err.Error(), maxExplanation)}, false
		}
		return verdict{value: value}, !ok
	}, nil
}
