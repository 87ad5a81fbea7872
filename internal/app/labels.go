package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/asgood-dev/asgood/collector/files"
	"github.com/asgood-dev/asgood/internal/quality"
)

// LabelOptions say which file of human labels to import. Of the import's options Files, Stdin, Format,
// Delimiter, Map, Feature, Server, Key, DryRun, Config, Note and Logger count. The fields of Map are sample,
// value, metric, by, label, explanation and feature.
type LabelOptions struct {
	ImportOptions
	Metric string // of rows that name none
	By     string // of rows that name nobody
}

// labelFields are the fields of a label, and those of the row that the files are read into.
var labelFields = map[string]string{
	"sample": "attributes.sample", "feature": "feature", "value": "attributes.value", "metric": "attributes.metric", "by": "attributes.by",
	"label": "attributes.label", "explanation": "output",
}

// ImportLabels sends the labels of files to a running server, as POST /v1/scores takes them: of kind human.
// Whether their samples are known the server finds out afterwards; it keeps labels a day for samples that
// have not come. Sending a file twice counts nothing twice.
func ImportLabels(ctx context.Context, o LabelOptions) (result ImportResult, err error) {
	result.Rejected = []RejectedRow{}
	if err := o.defaults(); err != nil {
		return result, err
	}
	if o.Map, err = labelMap(o.Map); err != nil {
		return result, err
	}
	from, err := openFiles(&o.ImportOptions, func(*quality.Sample) error { return nil })
	defer func() { err = errors.Join(err, closeFiles(from)) }()
	if err != nil {
		return result, err
	}
	to, err := o.server(ctx)
	if err != nil {
		return result, err
	}
	for i, f := range from {
		l := labelImport{o: &o, to: to, name: files.Title(o.Files[i]), result: &result}
		if err := l.run(ctx, f); err != nil {
			return result, err
		}
	}
	return result, nil
}

// server is nil for a dry run.
func (o *LabelOptions) server(ctx context.Context) (*serverTaker, error) {
	if o.DryRun {
		return nil, nil
	}
	addr, ok := running(ctx, o.Server, o.Config.Listen.Ingest)
	if !ok {
		return nil, quality.Errorf(quality.KindUnavailable, "no server answers at %s: start one with asgood serve, or name one with --server", o.Config.Listen.Ingest)
	}
	s := newServerTaker(addr, o.Key, o.Note)
	s.url = strings.TrimSuffix(s.url, "/v1/samples") + "/v1/scores"
	return s, nil
}

// labelMap turns a mapping of labels into one of the rows that files are read into.
func labelMap(text string) (string, error) {
	parts := strings.Split(text, ",")
	seen := []string{}
	for i, part := range parts {
		field, column, ok := strings.Cut(strings.TrimSpace(part), "=")
		to, known := labelFields[field]
		switch {
		case !ok || column == "":
			return "", quality.Errorf(quality.KindInvalid, "mapping %q: want field=column, such as sample=id,value=mark", part)
		case !known:
			return "", quality.Errorf(quality.KindInvalid, "mapping %q: a label has no field %q (known: sample, value, metric, by, label, explanation, feature)", part, field)
		}
		parts[i], seen = to+"="+column, append(seen, field)
	}
	for _, field := range []string{"sample", "value"} {
		if !slices.Contains(seen, field) {
			return "", quality.Errorf(quality.KindInvalid, "the mapping of labels needs %s=column", field)
		}
	}
	return strings.Join(parts, ","), nil
}

// labelImport is the import of one file under way.
type labelImport struct {
	o      *LabelOptions
	to     *serverTaker
	name   string
	result *ImportResult
	body   bytes.Buffer
	places []files.Place
}

func (l *labelImport) run(ctx context.Context, f *files.File) error {
	for row, err := range f.Samples() {
		var bad *files.RowError
		switch {
		case errors.As(err, &bad):
			l.result.Rows += int(bad.Rows)
			l.result.reject(l.name, bad)
			continue
		case err != nil:
			return err
		}
		l.result.Rows++
		if err := l.add(&row); err != nil {
			l.result.reject(l.name, &files.RowError{At: row.At, Rows: 1, Err: err})
		}
		if len(l.places) >= importRows || l.body.Len() >= importBytes {
			if err := l.flush(ctx); err != nil {
				return err
			}
		}
	}
	return l.flush(ctx)
}

func (l *labelImport) add(row *files.Row) error {
	f, err := l.o.label(&row.Sample)
	if err != nil {
		return err
	}
	data, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encoding a label: %w", err)
	}
	l.body.Write(append(data, '\n'))
	l.places = append(l.places, row.At)
	return nil
}

// label makes a label of a row.
func (o *LabelOptions) label(s *quality.Sample) (quality.Feedback, error) {
	get := func(name, fallback string) string {
		if v := strings.TrimSpace(s.Attributes[name]); v != "" {
			return v
		}
		return fallback
	}
	f := quality.Feedback{
		Feature: s.Feature, Sample: get("sample", ""), Metric: get("metric", o.Metric), By: get("by", o.By), Label: get("label", ""),
		Explanation: s.Output.All(), Kind: quality.FeedbackHuman,
	}
	text := get("value", "")
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return f, quality.Errorf(quality.KindInvalid, `field "value": want a number, got %.40q`, text)
	}
	f.Value = &x
	return f, f.Validate()
}

func (l *labelImport) flush(ctx context.Context) error {
	n := len(l.places)
	if n == 0 {
		return nil
	}
	if l.to == nil {
		l.result.Accepted += n
	} else {
		res, err := l.to.send(ctx, l.body.Bytes())
		if err != nil {
			return fmt.Errorf("%s, from %v on: %w", l.name, l.places[0], err)
		}
		l.result.Accepted += res.Accepted
		for _, r := range res.Rejected {
			if i := position(r); i >= 0 && i < n {
				l.result.reject(l.name, &files.RowError{At: l.places[i], Rows: 1, Err: errors.New(r.Error)})
			}
		}
	}
	l.body.Reset()
	l.places = l.places[:0]
	return nil
}
