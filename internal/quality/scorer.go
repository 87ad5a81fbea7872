package quality

import "strings"

// ToolSpec is what a scorer of type tool_calls demands of the calls of one tool.
type ToolSpec struct {
	Name   string `yaml:"name"`
	Use    string `yaml:"use"`    // optional (default), required or forbidden
	Max    int    `yaml:"max"`    // calls of this tool in one sample; 0 means any number
	Schema string `yaml:"schema"` // file of a JSON Schema of the arguments, beside the configuration
	Check  string `yaml:"check"`  // expression over args, result, index and the sample that must be true of every call

	SchemaText []byte `yaml:"-"` // content of Schema, loaded with the configuration
}

// The uses of a tool, and what is done with tools that are not listed.
const (
	ToolOptional  = "optional"
	ToolRequired  = "required"
	ToolForbidden = "forbidden"
	OthersAllow   = "allow"
	OthersForbid  = "forbid"
)

// Price is what tokens of one model cost, in a currency that is the same for all of them.
type Price struct {
	Input  float64 `yaml:"input"`  // per million input tokens
	Output float64 `yaml:"output"` // per million output tokens
}

// PriceOf returns the price of a model: by its own name, or else by the longest name ending in * that it
// begins with.
func PriceOf(prices map[string]Price, model string) (p Price, ok bool) {
	if p, ok = prices[model]; ok {
		return p, true
	}
	longest := -1
	for name, price := range prices {
		if stem, open := strings.CutSuffix(name, "*"); open && len(stem) > longest && strings.HasPrefix(model, stem) {
			p, longest = price, len(stem)
		}
	}
	return p, longest >= 0
}

// MaxScorerList bounds lists in a scorer's configuration: phrases, tools, prices.
const MaxScorerList = 1000

// Unbounded reports whether a scorer's values have no upper bound by its type alone. Of an expression the
// kind of its result says so, which is not known here.
func (s ScorerSpec) Unbounded() bool {
	switch s.Type {
	case "length", "readability", "latency", "cost", "tokens":
		return true
	default:
		return false
	}
}

// IsLanguage reports whether a text has the form of a language's code: two or three letters, and perhaps a
// script or region behind them, such as de, deu or pt-BR.
func IsLanguage(code string) bool {
	base, rest, _ := strings.Cut(strings.ReplaceAll(code, "_", "-"), "-")
	if len(base) < 2 || len(base) > 3 || len(rest) > 32 {
		return false
	}
	for _, r := range base {
		if r |= ' '; r < 'a' || r > 'z' { // the bit of a space makes letters small
			return false
		}
	}
	return true
}
