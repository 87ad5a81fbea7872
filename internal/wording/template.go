package wording

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of templates and what they make, in bytes.
const (
	MaxTemplate = 10_000
	MaxText     = 25_000
)

// Stage is the occasion of a text; a template is for one.
type Stage string

// The stages.
const (
	Investigating Stage = "investigating"
	Identified    Stage = "identified"
	Monitoring    Stage = "monitoring"
	Resolved      Stage = "resolved"
	Postmortem    Stage = "postmortem"
	Maintenance   Stage = "maintenance"
)

// Stages returns all stages.
func Stages() []Stage {
	return []Stage{Investigating, Identified, Monitoring, Resolved, Postmortem, Maintenance}
}

// Fields are what a template may name: the facts, and what is known of the incident or maintenance. All are
// text; what is not known is empty.
type Fields struct {
	Facts
	Name     string // of the incident or maintenance
	Feature  string // titles of the features
	Severity string
	Owner    string
	From, To string // when it began and ended, or is planned to
}

// builtin are the templates that are used where the configuration has none.
var builtin = map[Stage]string{
	Investigating: `{{with .What}}{{.}} {{end}}{{with .Since}}{{.}} {{end}}{{with .Size}}{{.}} {{end}}{{with .Who}}{{.}}{{end}}

{{with .Changed}}{{.}} {{end}}{{with .Done}}{{.}}{{end}}

{{with .Meanwhile}}{{.}} {{end}}{{with .Fixed}}{{.}} {{end}}{{with .Next}}{{.}}{{end}}`,
	Identified: `{{with .Changed}}{{.}} {{end}}{{with .Done}}{{.}}{{end}}

{{with .Size}}{{.}} {{end}}{{with .Who}}{{.}}{{end}}

{{with .Meanwhile}}{{.}} {{end}}{{with .Fixed}}{{.}} {{end}}{{with .Next}}{{.}}{{end}}`,
	Monitoring: `{{with .Done}}{{.}} {{end}}{{with .Fixed}}{{.}}{{end}}

{{with .Meanwhile}}{{.}} {{end}}{{with .Next}}{{.}}{{end}}`,
	Resolved: `{{with .Fixed}}{{.}} {{end}}{{with .Changed}}{{.}} {{end}}{{with .Done}}{{.}}{{end}}{{if .To}}

It began at {{.From}} and ended at {{.To}}.{{end}}`,
	Postmortem: `## What happened

{{.What}} {{.Since}}{{if .To}} It ended at {{.To}}.{{end}}

## Impact

{{.Size}} {{.Who}}

## What changed

{{.Changed}}

## What we did

{{.Done}}

## What we do so that it does not happen again

`,
	Maintenance: `We work on {{.Feature}} from {{.From}} to {{.To}}.{{with .Meanwhile}} {{.}}{{end}}`,
}

// Templates are the templates of every stage. The zero value holds the built-in ones.
type Templates struct{ own map[Stage]*template.Template }

// New returns templates in which those of the configuration, by stage, take the place of the built-in ones.
func New(own map[string]string) (Templates, error) {
	t := Templates{own: map[Stage]*template.Template{}}
	for _, stage := range slices.Sorted(maps.Keys(own)) {
		if err := CheckStage(stage); err != nil {
			return Templates{}, err
		}
		parsed, err := Parse(own[stage])
		if err != nil {
			return Templates{}, fmt.Errorf("template %q: %w", stage, err)
		}
		t.own[Stage(stage)] = parsed
	}
	return t, nil
}

// CheckStage refuses what is no stage.
func CheckStage(stage string) error {
	if slices.Contains(Stages(), Stage(stage)) {
		return nil
	}
	return quality.Errorf(quality.KindInvalid, "%.40q is no stage (want one of %v)", stage, Stages())
}

// Parse reads a template of Go's text/template of which it takes fields, if, with and else; nothing else.
func Parse(text string) (*template.Template, error) {
	if len(text) > MaxTemplate {
		return nil, quality.Errorf(quality.KindInvalid, "%d bytes, at most %d", len(text), MaxTemplate)
	}
	t, err := template.New("text").Parse(text)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "%s", plainError(err))
	}
	if len(t.Templates()) > 1 {
		return nil, quality.Errorf(quality.KindInvalid, "a template may not define others")
	}
	if t.Tree != nil {
		if err := allowed(t.Root); err != nil {
			return nil, err
		}
	}
	if _, err := fill(t, Fields{}); err != nil {
		return nil, err
	}
	// What stands behind an if is looked at only where the field is known.
	x := "x"
	all := Fields{Facts: Facts{x, x, x, x, x, x, x, x, x}, Name: x, Feature: x, Severity: x, Owner: x, From: x, To: x}
	_, err = fill(t, all)
	return t, err
}

// plainError leaves out how the library names the template.
func plainError(err error) string { return strings.TrimPrefix(err.Error(), "template: text:") }

// allowed walks the template: what is not known here is refused.
func allowed(n parse.Node) error {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, c := range n.Nodes {
			if err := allowed(c); err != nil {
				return err
			}
		}
		return nil
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		return plain(n.Pipe)
	case *parse.IfNode:
		return branch(&n.BranchNode)
	case *parse.WithNode:
		return branch(&n.BranchNode)
	default:
		return quality.Errorf(quality.KindInvalid, "%.40q is not allowed: a template holds fields, if, with and else", n)
	}
}

func branch(n *parse.BranchNode) error {
	return errors.Join(plain(n.Pipe), allowed(n.List), allowed(n.ElseList))
}

// plain wants one field, or the dot of a with.
func plain(p *parse.PipeNode) error {
	if len(p.Cmds) == 1 && len(p.Decl) == 0 && len(p.Cmds[0].Args) == 1 {
		switch f := p.Cmds[0].Args[0].(type) {
		case *parse.DotNode:
			return nil
		case *parse.FieldNode:
			if len(f.Ident) == 1 && f.Ident[0] != "Facts" {
				return nil
			}
		}
	}
	return quality.Errorf(quality.KindInvalid, "%.40q is not allowed: want a field such as .Size", p)
}

// Fill returns the text of a stage, without lines that stayed empty.
func (t Templates) Fill(stage Stage, f Fields) (string, error) {
	parsed := t.own[stage]
	if parsed == nil {
		var err error
		if parsed, err = Parse(builtin[stage]); err != nil {
			return "", fmt.Errorf("built-in template %q: %w", stage, err)
		}
	}
	return fill(parsed, f)
}

func fill(t *template.Template, f Fields) (string, error) {
	b := &limited{}
	if err := t.Execute(b, f); err != nil {
		return "", quality.Errorf(quality.KindInvalid, "%s", plainError(err))
	}
	return tidy(b.String()), nil
}

// tidy trims lines, and leaves one empty line between two paragraphs.
func tidy(text string) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, line)
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// limited is a buffer that refuses more than a text may hold.
type limited struct{ strings.Builder }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > MaxText {
		return 0, quality.Errorf(quality.KindTooLarge, "makes more than %d bytes", MaxText)
	}
	return l.Builder.Write(p)
}
