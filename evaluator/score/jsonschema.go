package score

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/asgood-dev/asgood/internal/quality"
)

// schemaURL names the schema inside the compiler; nothing is read from there.
const schemaURL = "schema:///schema.json"

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
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return verdict{label: "not JSON"}, false
		}
		if err := schema.Validate(v); err != nil {
			return verdict{label: "invalid", explanation: explain(err)}, false
		}
		return verdict{value: 1}, false
	}, nil
}

func compileSchema(text []byte) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, err
	}
	return c.Compile(schemaURL)
}

// explain keeps the first complaint of a validation: the line after the schema's name.
func explain(err error) string {
	lines := strings.SplitN(err.Error(), "\n", 3)
	if len(lines) > 1 {
		return clip(strings.TrimPrefix(strings.TrimSpace(lines[1]), "- "))
	}
	return clip(lines[0])
}
