package score

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Version returns a short hash of the type and of all that changes what a scorer says: its settings, the
// content of its schemas, and the revision of what it is built on. The name is left out: a renamed scorer
// still means the same. So is the order of lists that are sets.
func Version(spec quality.ScorerSpec) string {
	if spec.Type == TypeExternal {
		return VersionExternal
	}
	if spec.On == "" {
		spec.On = "last"
	}
	data, err := json.Marshal(settings(spec))
	if err != nil { // only a price that is no number does not marshal, and New refuses it
		return spec.Type
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

// settings are what gives a scorer its meaning, in an order that does not change. The number behind a type
// is raised when its code comes to say something else of the same sample.
func settings(spec quality.ScorerSpec) []any {
	switch spec.Type {
	case TypeToolCalls:
		return []any{spec.Type, 1, toolSettings(spec.Tools), or(spec.Others, quality.OthersAllow), spec.Order, spec.MaxCalls, expressionRevision}
	case TypeRefusal:
		return []any{spec.Type, 1, phraseSettings(spec), spec.On}
	case TypeLanguage:
		return []any{spec.Type, 1, set(spec.Languages), spec.Attribute, spec.On, detectorRevision}
	case TypeRougeL, TypeEditSimilarity:
		return []any{spec.Type, 1, spec.IgnoreCase, spec.On}
	case TypeGrounded:
		return []any{spec.Type, 1, set(claimsOf(spec)), set(sourcesOf(spec)), spec.On}
	case TypeReadability:
		return []any{spec.Type, 1, or(spec.Formula, "lix"), spec.On}
	case TypeLatency:
		return []any{spec.Type, 1}
	case TypeCost:
		return []any{spec.Type, 1, spec.Prices} // keys are sorted
	case TypeTokens:
		return []any{spec.Type, 1, or(spec.Count, "total")}
	case TypeExpr:
		return []any{spec.Type, 1, spec.Expr, spec.On, expressionRevision}
	default:
		return []any{spec.Type, spec.Pattern, spec.Extract, or(spec.Match, "first"), spec.IgnoreCase,
			canonical(spec.SchemaText), set(spec.Any), set(spec.All), spec.On}
	}
}

// expressionRevision is that of the language of expressions, whose releases keep what an expression means.
const expressionRevision = "expr 1"

func toolSettings(tools []quality.ToolSpec) []any {
	sorted := slices.SortedFunc(slices.Values(tools), func(a, b quality.ToolSpec) int { return strings.Compare(a.Name, b.Name) })
	out := make([]any, len(sorted))
	for i, t := range sorted {
		out[i] = []any{t.Name, or(t.Use, quality.ToolOptional), t.Max, canonical(t.SchemaText), t.Check}
	}
	return out
}

// set is a list whose order and repetitions mean nothing.
func set(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// canonical is a schema without what means nothing in JSON: white space and the order of keys.
func canonical(schema []byte) []byte {
	if len(schema) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(schema))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return schema
	}
	out, err := json.Marshal(v)
	if err != nil {
		return schema
	}
	return out
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
