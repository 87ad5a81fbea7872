package score

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/asgood-dev/asgood/internal/quality"
)

// schemaURL names the schema inside the compiler; nothing is read from there.
const schemaURL = "schema:///schema.json"

// Bounds of what is held against a schema. A schema that refers to itself twice takes twice as long with every
// level of a value, and a number of a few characters may have a million digits.
const (
	maxJSONBytes   = 1 << 20
	maxJSONDepth   = 64
	maxJSONDigits  = 400     // of a number, and its exponent
	maxSchemaSteps = 100_000 // parts of a sample that are held against parts of a schema
	bytesOfAStep   = 64
)

var errSchemaSteps = quality.Errorf(quality.KindTooLarge, "takes too many steps to be held against the schema")

// noLoader refuses every reference that leaves the schema: a scorer must not read files or the
// network because of what a schema says.
type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("references outside the schema are not followed: %s", url)
}

func newJSONSchema(spec quality.ScorerSpec) (rule, error) {
	if len(spec.SchemaText) == 0 {
		return nil, quality.Errorf(quality.KindInvalid, `field "schema": required, and its file must not be empty`)
	}
	schema, err := compileSchema(spec.SchemaText)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "field \"schema\" %q: %w", spec.Schema, err)
	}
	return func(text string, _ *quality.Sample) (verdict, bool) {
		if len(text) > maxJSONBytes {
			return verdict{failure: fmt.Sprintf("the output has more than %d KiB", maxJSONBytes>>10)}, false
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return verdict{label: "not JSON"}, false
		}
		left := maxSchemaSteps
		switch err := schema.validate(v, &left); {
		case quality.KindOf(err) == quality.KindTooLarge:
			return verdict{failure: "the output " + err.Error()}, false
		case err != nil:
			return verdict{label: "invalid", explanation: explain(err)}, false
		}
		return verdict{value: 1}, false
	}, nil
}

// schema is a JSON Schema that counts what it does with a value.
type schema struct {
	compiled *jsonschema.Schema

	mu   sync.Mutex // the library has no place for what belongs to one validation
	left int        // steps of the validation at work
}

func compileSchema(text []byte) (*schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	s, c := &schema{}, jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	c.RegisterVocabulary(&jsonschema.Vocabulary{URL: "schema:///steps",
		Compile: func(*jsonschema.CompilerContext, map[string]any) (jsonschema.SchemaExt, error) { return s, nil }})
	c.AssertVocabs()
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	s.compiled, err = c.Compile(schemaURL)
	return s, err
}

// tooLarge is what a validation ends with that took too many steps.
type tooLarge struct{}

// Validate implements jsonschema.SchemaExt: it is called for every part of a value that is held against a part
// of the schema.
func (s *schema) Validate(_ *jsonschema.ValidatorContext, v any) {
	cost := 1
	switch v := v.(type) {
	case string:
		cost += len(v) / bytesOfAStep
	case []any:
		cost += len(v) / bytesOfAStep
	}
	if s.left -= cost; s.left < 0 {
		panic(tooLarge{}) // the library has no other way out
	}
}

// validate holds a value against the schema and takes the steps off those that are left. An error of kind too
// large says that it was not held against all of it.
func (s *schema) validate(v any, left *int) (err error) {
	if err := boundedValue(v, maxJSONDepth, left); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		*left = s.left
		switch p := recover(); p.(type) {
		case nil:
		case tooLarge:
			err = errSchemaSteps
		default:
			panic(p)
		}
	}()
	s.left = *left
	return s.compiled.Validate(v)
}

// boundedValue refuses values that are nested too deeply or have too many parts, and numbers of too many digits.
func boundedValue(v any, depth int, left *int) error {
	switch *left--; {
	case depth == 0:
		return quality.Errorf(quality.KindTooLarge, "is nested more than %d levels deep", maxJSONDepth)
	case *left < 0:
		return errSchemaSteps
	}
	switch v := v.(type) {
	case json.Number:
		return boundedNumber(string(v))
	case []any:
		for _, x := range v {
			if err := boundedValue(x, depth-1, left); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, x := range v {
			if err := boundedValue(x, depth-1, left); err != nil {
				return err
			}
		}
	}
	return nil
}

func boundedNumber(text string) error {
	exponent := 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.Atoi(text[i+1:])
		if err != nil {
			n = maxJSONDigits + 1
		}
		exponent = max(n, -n)
	}
	if len(text) > maxJSONDigits || exponent > maxJSONDigits {
		return quality.Errorf(quality.KindTooLarge, "holds a number of more than %d digits", maxJSONDigits)
	}
	return nil
}

// explain keeps the first complaint of a validation: the line after the schema's name.
func explain(err error) string {
	lines := strings.SplitN(err.Error(), "\n", 3)
	if len(lines) > 1 {
		return clip(strings.TrimPrefix(strings.TrimSpace(lines[1]), "- "))
	}
	return clip(lines[0])
}
