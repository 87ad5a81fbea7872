package canary

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"

	"github.com/theory/jsonpath"

	"github.com/asgood-dev/asgood/internal/quality"
)

// templated asks an endpoint of any form: the request is a template, the answer is found by JSONPath.
type templated struct {
	*endpoint
	body  *quality.CanaryBody // nil: no body
	paths paths
}

// paths say where in an answer things are; a nil one is nowhere.
type paths struct {
	answer, context, model, input, output *jsonpath.Path
}

func newTemplated(spec quality.CanarySpec, roots *x509.CertPool, s secrets) (*templated, error) {
	h := spec.HTTP
	e, err := newEndpoint(h.Method, h.URL, roots, spec.Concurrency, s)
	if err != nil {
		return nil, err
	}
	t := &templated{endpoint: e}
	if h.Body != "" {
		if t.body, err = quality.CompileCanaryBody(h.Body); err != nil {
			return nil, errors.New("the body is no template that can be used") // its text may hold a key
		}
		e.headers.Set("Content-Type", contentType(h.Body))
	}
	for name, value := range h.Headers {
		e.headers.Set(name, value)
	}
	t.paths, err = parsePaths(h)
	return t, err
}

func contentType(body string) string {
	if body = strings.TrimSpace(body); strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

func parsePaths(h *quality.CanaryHTTP) (p paths, err error) {
	for _, x := range []struct {
		text string
		to   **jsonpath.Path
	}{
		{h.Answer, &p.answer}, {h.Context, &p.context}, {h.Model, &p.model},
		{h.Usage.InputTokens, &p.input}, {h.Usage.OutputTokens, &p.output},
	} {
		if x.text == "" {
			continue
		}
		if *x.to, err = jsonpath.Parse(x.text); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (t *templated) ask(ctx context.Context, p *quality.CanaryPrompt) (answer, error) {
	var body []byte
	if t.body != nil {
		var err error
		if body, err = t.body.Render(quality.CallOf(p)); err != nil {
			return answer{}, failed("the body cannot be made for this prompt")
		}
	}
	data, headers, err := t.call(ctx, body)
	if err != nil {
		return answer{}, err
	}
	return t.paths.read(data, headers)
}

// read finds the parts of an answer. A missing answer is a failure; of the rest what is there is taken.
func (p paths) read(data []byte, h http.Header) (a answer, err error) {
	if p == (paths{}) {
		a.output, err = outputOf(string(data))
		return a, err
	}
	doc, err := decode(data, h)
	if err != nil {
		return a, err
	}
	text := string(data)
	if p.answer != nil {
		if text, err = found(p.answer.Select(doc)); err != nil {
			return a, err
		}
	}
	if a.output, err = outputOf(text); err != nil {
		return a, err
	}
	a.context = documents(selected(p.context, doc))
	if model, err := found(selected(p.model, doc)); err == nil {
		a.model = clip(model)
	}
	a.usage = usageOf(number(selected(p.input, doc)), number(selected(p.output, doc)))
	return a, nil
}

func decode(data []byte, h http.Header) (any, error) {
	if depth(data) > maxDepth {
		return nil, failed("the answer is nested deeper than %d levels", maxDepth)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // a large number stays as it was written
	var doc any
	if dec.Decode(&doc) != nil {
		return nil, notJSON(h)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, notJSON(h) // something follows
	}
	return doc, nil
}

func selected(p *jsonpath.Path, doc any) []any {
	if p == nil {
		return nil
	}
	return p.Select(doc)
}

// found is what a path found as text: several values in lines of their own, what is no text as JSON.
func found(nodes []any) (string, error) {
	if len(nodes) == 0 {
		return "", failed("the answer holds nothing at the configured path")
	}
	var b strings.Builder
	for i, n := range nodes {
		if i > 0 {
			b.WriteByte('\n')
		}
		if n == nil {
			return "", failed("the answer is null at the configured path")
		}
		b.WriteString(text(n))
		if b.Len() > maxAnswer {
			return "", failed("the answer has more than %d MiB", maxAnswer>>20)
		}
	}
	return b.String(), nil
}

func text(node any) string {
	if s, ok := node.(string); ok {
		return s
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(node) != nil {
		return "" // what was read can be written
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// maxDocuments bounds the context that is kept of an answer.
const maxDocuments = 100

// documents are the texts of a context, or objects with id and text. What goes beyond the bounds is left out.
func documents(nodes []any) (out []quality.Document) {
	size := 0
	for _, n := range nodes[:min(len(nodes), maxDocuments)] {
		if n == nil {
			continue
		}
		d := documentOf(n)
		if size += len(d.Text); size > maxAnswer {
			break
		}
		out = append(out, d)
	}
	return out
}

func documentOf(node any) quality.Document {
	m, ok := node.(map[string]any)
	if !ok {
		return quality.Document{Text: text(node)}
	}
	content, ok := m["text"].(string)
	if !ok {
		return quality.Document{Text: text(node)}
	}
	d := quality.Document{Text: content}
	if id, ok := m["id"]; ok && id != nil {
		d.ID = clip(text(id))
	}
	return d
}

// number is the first value as a count; 0 when it is none.
func number(nodes []any) uint64 {
	if len(nodes) == 0 {
		return 0
	}
	n, _ := nodes[0].(json.Number)
	return countOf(n)
}

// countOf reads a count of tokens; 0 when it is none that can be.
func countOf(n json.Number) uint64 {
	f, err := n.Float64()
	if err != nil || !(f >= 0 && f <= math.MaxInt32) {
		return 0
	}
	return uint64(f)
}

func usageOf(in, out uint64) *quality.Usage {
	if in == 0 && out == 0 {
		return nil
	}
	return &quality.Usage{InputTokens: in, OutputTokens: out}
}
