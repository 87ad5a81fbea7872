package config

import (
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/goccy/go-yaml/ast"
)

// content fills an input: a text or a list of chat messages.
func (d *decoder) content(n ast.Node, out *quality.Content, path string) {
	*out = quality.Content{}
	if _, ok := n.(*ast.SequenceNode); ok {
		d.list(n, reflect.ValueOf(&out.Messages).Elem(), path)
		return
	}
	out.Text, _ = d.text(n, path, "text or a list of messages {role, content}")
}

// promptFile fills prompts from a file beside the configuration. What is wrong in it is reported with its
// name and lines.
func (d *decoder) promptFile(n ast.Node, out *[]quality.CanaryPrompt, path string) {
	name, ok := d.text(n, path, "a list of prompts, or the name of a file of them")
	if !ok {
		return
	}
	file := beside(filepath.Dir(d.file), name)
	data, err := readSmall(file)
	if err != nil {
		// The library's words repeat the path, and a variable may have given it.
		if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		d.bad(path, "reading the prompts beside the configuration: %v", err)
		return
	}
	f := &decoder{
		file: file, env: d.env, location: d.location, budget: maxNodes, verbatim: true,
		anchors: map[string]ast.Node{}, places: map[string]place{"": {line: 1, column: 1}}, wrong: map[string]bool{},
	}
	prompts := []quality.CanaryPrompt{}
	if root, ok := f.syntax(data); ok && root != nil {
		if _, isList := root.(*ast.SequenceNode); isList {
			f.node(root, reflect.ValueOf(&prompts).Elem(), "")
		} else {
			f.wrongForm(root, "", "a list of prompts")
		}
	}
	f.checkPrompts(prompts, "")
	if len(f.problems) > 0 {
		d.bad(path, "the file is not good")
		d.problems = append(d.problems, f.problems...)
	}
	*out = prompts
}

// free fills a value of any form, such as a parameter of a model.
func (d *decoder) free(n ast.Node, v reflect.Value, path string) {
	switch n := n.(type) {
	case ast.MapNode:
		m := map[string]any{}
		d.stringMap(n.(ast.Node), reflect.ValueOf(&m).Elem(), path)
		v.Set(reflect.ValueOf(m))
	case *ast.SequenceNode:
		list := []any{}
		d.list(n, reflect.ValueOf(&list).Elem(), path)
		v.Set(reflect.ValueOf(list))
	case *ast.BoolNode:
		v.Set(reflect.ValueOf(n.Value))
	case *ast.IntegerNode, *ast.FloatNode:
		d.freeNumber(n, v, path)
	default:
		if s, ok := d.text(n, path, "a value"); ok {
			v.Set(reflect.ValueOf(s))
		}
	}
}

func (d *decoder) freeNumber(n ast.Node, v reflect.Value, path string) {
	s, _ := d.text(n, path, "a number")
	s = strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		v.Set(reflect.ValueOf(i))
		return
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		d.bad(path, "want a decimal number")
		return
	}
	v.Set(reflect.ValueOf(f))
}
