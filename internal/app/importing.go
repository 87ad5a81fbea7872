package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/collector/files"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of what is sent at a time.
const (
	importRows  = 1000
	importBytes = 4 << 20
)

// Bounds of what is told of an import. All refused rows are counted.
const (
	maxRejections  = 100
	maxErrorKinds  = 100
	maxImportFiles = 500
	dryRunSamples  = 3
)

// ImportOptions say what to import and where to.
type ImportOptions struct {
	Files      []string  // paths; "-" is Stdin
	Stdin      io.Reader // read for "-"
	Format     string    // csv, ndjson or parquet; empty means by name or content
	Delimiter  string    // of CSV; empty means a comma, or a tab in .tsv
	Map        string    // such as "time=timestamp,output=answer,id={model}/{id}"; empty: native samples
	Feature    string    // of rows that name none
	Customer   string    // of rows that name none
	TimeLayout string    // Go layout of the time column; empty tries the unambiguous ones

	Server string         // ingest address; empty means the configuration's, or the data directory when nothing answers there
	Key    string         // for an ingest listener that asks for one
	Output io.Writer      // when set the samples are written here as NDJSON and stored nowhere
	DryRun bool           // read and map only
	Resume bool           // go on where an earlier import of the same file was stopped
	Config *config.Config // required unless Output or DryRun is set

	Progress func(ImportProgress) // called every few hundred rows
	Note     func(text string)    // called with what a person should know at once
	Logger   *slog.Logger
}

func (o *ImportOptions) defaults() error {
	switch {
	case len(o.Files) == 0:
		return quality.Errorf(quality.KindInvalid, "nothing to import: name a file, or - for standard input")
	case len(o.Files) > maxImportFiles:
		return quality.Errorf(quality.KindInvalid, "%d files, at most %d at a time", len(o.Files), maxImportFiles)
	case o.Output != nil && o.DryRun:
		return quality.Errorf(quality.KindInvalid, "a dry run writes nothing: leave the output out")
	}
	for i, name := range o.Files {
		if slices.Contains(o.Files[:i], name) {
			return quality.Errorf(quality.KindInvalid, "%s is named twice", files.Title(name))
		}
	}
	if o.Progress == nil {
		o.Progress = func(ImportProgress) {}
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// ImportProgress says how far the import of a file is.
type ImportProgress struct {
	File     string
	Rows     int     // read of it by this run
	From     float64 // fraction of the file at which this run began
	Fraction float64 // of the file that is read, 0 to 1; -1 when its size is unknown
}

// ImportResult says what became of the rows, also of those that an earlier run of the same import read.
type ImportResult struct {
	Rows       int              `json:"rows"`
	Accepted   int              `json:"accepted"`
	Duplicates int              `json:"duplicates"`
	Refused    int              `json:"refused"`
	Errors     map[string]int   `json:"errors,omitempty"`  // refused rows by what is wrong with them, of this run
	Rejected   []RejectedRow    `json:"rejected"`          // the first of them
	Samples    []quality.Sample `json:"samples,omitempty"` // the first of a dry run
}

// RejectedRow is a row that was refused.
type RejectedRow struct {
	File  string `json:"file"`
	Line  int64  `json:"line,omitempty"` // 1-based; absent in a format without lines
	Row   int64  `json:"row"`            // 1-based
	Error string `json:"error"`
}

// Place names the row's place within its file.
func (r RejectedRow) Place() string { return files.Place{Row: r.Row, Line: r.Line}.String() }

// reject notes one reason, which may be that of several rows.
func (r *ImportResult) reject(file string, bad *files.RowError) {
	r.Refused += int(bad.Rows)
	r.count(bad.Kind(), int(bad.Rows))
	if len(r.Rejected) < maxRejections {
		r.Rejected = append(r.Rejected, RejectedRow{File: file, Line: bad.At.Line, Row: bad.At.Row, Error: bad.Err.Error()})
	}
}

// add adds what an earlier run of the import did.
func (r *ImportResult) add(s *importState) {
	if s != nil {
		r.Rows, r.Accepted, r.Duplicates, r.Refused = r.Rows+s.Rows, r.Accepted+s.Accepted, r.Duplicates+s.Duplicates, r.Refused+s.Refused
	}
}

func (r *ImportResult) count(kind string, n int) {
	if r.Errors == nil {
		r.Errors = map[string]int{}
	}
	if _, known := r.Errors[kind]; !known && len(r.Errors) >= maxErrorKinds {
		kind = "other"
	}
	r.Errors[kind] += n
}

// Import brings the rows of files in, one file after the other. Rows that are wrong are refused one by one.
func Import(ctx context.Context, o ImportOptions) (result ImportResult, err error) {
	result.Rejected = []RejectedRow{}
	if err := o.defaults(); err != nil {
		return result, err
	}
	from, err := openFiles(&o, collector.CheckSample)
	defer func() { err = errors.Join(err, closeFiles(from)) }()
	if err != nil {
		return result, err
	}
	to, name, err := destination(ctx, &o, &result)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	var states []*importState
	for i, f := range from {
		state, err := o.state(f, o.Files[i], name)
		if err != nil {
			return result, err
		}
		states = append(states, state)
		result.add(state)
		im := importer{o: &o, name: files.Title(o.Files[i]), file: f, to: to, state: state, result: &result}
		if err := im.run(ctx); err != nil {
			return result, err
		}
	}
	for _, s := range states { // not before all are done: the next run would begin the first file again
		s.remove()
	}
	return result, nil
}

// openFiles opens all of them, so that a wrong name or mapping shows before anything is stored.
func openFiles(o *ImportOptions, check func(*quality.Sample) error) (out []*files.File, err error) {
	options := files.Options{
		Feature: o.Feature, Customer: o.Customer, TimeLayout: o.TimeLayout, Stdin: o.Stdin,
		Decode: collector.DecodeSample, Check: check,
	}
	if options.Format, err = files.ParseFormat(o.Format); err != nil {
		return nil, err
	}
	if options.Delimiter, err = files.ParseDelimiter(o.Delimiter); err != nil {
		return nil, err
	}
	if o.Map != "" {
		if options.Map, err = files.ParseMap(o.Map); err != nil {
			return nil, err
		}
	}
	if o.Config != nil {
		options.Location = o.Config.Location()
	}
	for _, name := range o.Files {
		f, err := files.Open(name, options)
		if err != nil {
			return out, err
		}
		out = append(out, f)
	}
	return out, nil
}

func closeFiles(list []*files.File) error {
	var errs []error
	for _, f := range list {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// importer gathers the rows of a file and hands them on.
type importer struct {
	o      *ImportOptions
	name   string
	file   *files.File
	to     taker
	state  *importState // nil: nothing is remembered
	result *ImportResult

	samples []quality.Sample
	places  []files.Place // of samples
	size    int
	rows    int // since the last flush
	all     int
	from    float64
}

// progressRows is how often progress is told.
const progressRows = 256

func (im *importer) run(ctx context.Context) error {
	im.from = max(im.file.Fraction(), 0)
	for row, err := range im.file.Samples() {
		if err := im.add(row, err); err != nil {
			return err
		}
		if im.all++; im.all%progressRows == 0 {
			im.tell()
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("%s: stopped: %w", im.name, err)
			}
		}
		if im.rows >= importRows || im.size >= importBytes {
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
	}
	err := im.flush(ctx)
	im.tell()
	return err
}

func (im *importer) tell() {
	im.o.Progress(ImportProgress{File: im.name, Rows: im.all, From: im.from, Fraction: im.file.Fraction()})
}

func (im *importer) add(row files.Row, err error) error {
	var bad *files.RowError
	switch {
	case errors.As(err, &bad):
		im.result.Rows += int(bad.Rows)
		im.rows++
		im.result.reject(im.name, bad)
		im.state.count(importState{Rows: int(bad.Rows), Refused: int(bad.Rows)})
		return nil
	case err != nil:
		return err
	}
	im.result.Rows++
	im.rows++
	im.samples, im.places = append(im.samples, row.Sample), append(im.places, row.At)
	im.size += len(row.Sample.Output.All()) + len(row.Sample.Input.All())
	return nil
}

// flush hands on what was gathered, and remembers then that the file is read up to here.
func (im *importer) flush(ctx context.Context) error {
	if im.rows == 0 {
		return nil
	}
	if len(im.samples) > 0 {
		res, err := im.to.take(ctx, im.samples)
		if err != nil {
			return fmt.Errorf("%s, from %v on: %w", im.name, im.places[0], err)
		}
		im.note(res)
	}
	im.samples, im.places, im.size, im.rows = im.samples[:0], im.places[:0], 0, 0
	return im.state.save(im.file.Position())
}

func (im *importer) note(res collector.Result) {
	im.result.Accepted += res.Accepted
	im.result.Duplicates += res.Duplicates
	im.state.count(importState{Rows: len(im.samples), Accepted: res.Accepted, Duplicates: res.Duplicates, Refused: res.Refused})
	listed := 0
	for _, r := range res.Rejected {
		if i := position(r); i >= 0 && i < len(im.places) {
			listed++
			im.result.reject(im.name, &files.RowError{At: im.places[i], Rows: 1, Err: errors.New(r.Error)})
		}
	}
	if more := res.Refused - listed; more > 0 {
		im.result.Refused += more
		im.result.count("other", more)
	}
}

// position is the place of a rejection among what was sent.
func position(r collector.Rejection) int {
	if r.Index != nil {
		return *r.Index
	}
	return r.Line - 1
}
