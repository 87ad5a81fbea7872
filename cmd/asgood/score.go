package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

func scoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "score [FILE...]", Args: cobra.ArbitraryArgs,
		Short: "Print the scores of samples, or the step between two scorers",
		Long: "Score reads samples from files as import does, from standard input for -, or\n" +
			"with --from those that are stored, and prints a score per line as JSON.\n" +
			"Nothing is stored. With --overlap it runs the scorers of two configurations\n" +
			"over the same samples and says how far each metric moves whose scorer changed,\n" +
			"with a 95 % interval and the samples they disagree on most. With --record the\n" +
			"steps are kept, so that a monitor that moves to the new version tells them:\n" +
			"record them before the new configuration is in force. Stored samples are read\n" +
			"from the running server, or from the data directory when none runs.",
		Example: "  asgood score --feature support-assistant samples.ndjson\n" +
			"  asgood score --config new.yaml --overlap old.yaml --feature support-assistant --metric correct samples.ndjson\n" +
			"  asgood score --feature support-assistant --from 2026-03-01 --to 2026-03-08 --table",
	}
	o := app.ScoreOptions{}
	s := scoreFlags{config: configFlag(cmd)}
	f := cmd.Flags()
	f.StringVar(&o.Feature, "feature", "", "the feature; may be left out when the configuration has one")
	f.StringVar(&o.Metric, "metric", "", "one metric only")
	f.StringVar(&o.Format, "format", "", "csv, ndjson or parquet; the default is told by the file's name or content")
	f.StringVar(&o.Map, "map", "", "field=column, comma separated, as of import; NDJSON without it is read as native samples")
	f.StringVar(&s.from, "from", "", "score stored samples from this day or time on")
	f.StringVar(&s.to, "to", "", "end of the period of stored samples, not included; the default is now")
	f.StringVar(&s.overlap, "overlap", "", "the old configuration: print the step of every metric whose scorer's version differs")
	f.BoolVar(&s.record, "record", false, "with --overlap: keep the steps, for the monitors that move to the new versions")
	f.StringVar(&o.Server, "server", "", "internal address of a running server; the default is the configuration's, and the data directory itself when none runs")
	f.BoolVar(&s.table, "table", false, "print scores as a table")
	f.BoolVar(&s.json, "json", false, "print the result as JSON; scores without --table are JSON always")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if s.count = progress(cmd); s.streams() && screenWidth(cmd.OutOrStdout()) > 0 {
			s.count = &counter{} // the scores themselves show that it goes on
		}
		o.Files, o.Stdin, o.Progress, o.Logger = args, cmd.InOrStdin(), s.count.read, quiet(cmd)
		if o.Config, err = load(*s.config); err != nil {
			return err
		}
		if err := s.source(&o, time.Now()); err != nil {
			return err
		}
		if s.overlap != "" {
			return s.printOverlap(cmd, o)
		}
		return s.printScores(cmd, o)
	}
	return cmd
}

// scoreFlags are the flags that are not options of the scoring itself.
type scoreFlags struct {
	config            *string
	from, to, overlap string
	table, json       bool
	record            bool
	count             *counter
}

// streams reports whether scores are printed as they are made.
func (s scoreFlags) streams() bool { return !s.table && s.overlap == "" }

// source checks that the samples come from one place.
func (s scoreFlags) source(o *app.ScoreOptions, now time.Time) (err error) {
	switch {
	case s.table && s.json:
		return quality.Errorf(quality.KindInvalid, "want one of --table and --json")
	case s.record && s.overlap == "":
		return quality.Errorf(quality.KindInvalid, "--record needs --overlap: what is kept is a step between two versions")
	case s.from == "" && s.to != "":
		return quality.Errorf(quality.KindInvalid, "--to needs --from")
	case s.from == "" && len(o.Files) == 0:
		return quality.Errorf(quality.KindInvalid, "nothing to score: name a file, - for standard input, or --from for stored samples")
	case s.from == "":
		return nil
	case len(o.Files) > 0:
		return quality.Errorf(quality.KindInvalid, "want files or --from, not both")
	}
	if o.From, err = parseMoment("--from", s.from, o.Config.Location()); err != nil {
		return err
	}
	if o.To = now; s.to != "" {
		if o.To, err = parseMoment("--to", s.to, o.Config.Location()); err != nil {
			return err
		}
	}
	if !o.From.Before(o.To) {
		return quality.Errorf(quality.KindInvalid, "--from must be before --to")
	}
	return nil
}

func (s scoreFlags) printScores(cmd *cobra.Command, o app.ScoreOptions) error {
	out := bufio.NewWriter(cmd.OutOrStdout())
	t := &table{w: out, width: screenWidth(cmd.OutOrStdout())}
	emit := func(v quality.Score) error { return json.NewEncoder(out).Encode(&v) }
	if s.table {
		fmt.Fprintln(t, "sample\tmetric\tvalue\tlabel\texplanation")
		emit = func(v quality.Score) error {
			value := fmt.Sprintf("%g", v.Value)
			if v.Failed() {
				value, v.Explanation = "failed", v.Error
			}
			_, err := fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", cell(v.SampleID), v.Metric, value, cell(v.Label), cell(v.Explanation))
			return err
		}
	}
	result, err := app.Score(cmd.Context(), o, emit)
	s.count.end()
	if flushErr := t.Flush(); err == nil {
		err = flushErr
	}
	if flushErr := out.Flush(); err == nil {
		err = flushErr
	}
	if err != nil {
		return err
	}
	printLeftOut(cmd.ErrOrStderr(), result)
	if result.Refused > 0 && result.Samples == 0 {
		return quality.Errorf(quality.KindInvalid, "no row could be scored")
	}
	return nil
}

// cell keeps text of a sample within its cell.
func cell(text string) string {
	text = strings.Join(strings.Fields(quality.Visible(text)), " ")
	if r := []rune(text); len(r) > 80 {
		return string(r[:80]) + "..."
	}
	return text
}

// printLeftOut tells what a reader of the scores would not see.
func printLeftOut(w io.Writer, r app.ScoreResult) {
	for _, row := range r.Rejected {
		fmt.Fprintf(w, "asgood: %s, %s: %s\n", row.File, row.Place(), row.Error)
	}
	if more := r.Refused - len(r.Rejected); more > 0 {
		fmt.Fprintf(w, "asgood: %d refused rows in all\n", r.Refused)
	}
	if r.Other > 0 {
		fmt.Fprintf(w, "asgood: %s of other features left out\n", plural(r.Other, "sample"))
	}
}

func (s scoreFlags) printOverlap(cmd *cobra.Command, o app.ScoreOptions) error {
	old, err := config.Load(s.overlap)
	if err != nil {
		return fmt.Errorf("the old configuration: %w", err)
	}
	result, err := app.Overlap(cmd.Context(), o, old)
	s.count.end()
	if err != nil {
		return err
	}
	recorded := 0
	if s.record {
		if recorded, err = app.RecordSteps(cmd.Context(), o, result.Steps); err != nil {
			return err
		}
	}
	w := cmd.OutOrStdout()
	if s.json {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(result)
	}
	printLeftOut(cmd.ErrOrStderr(), result.Samples)
	if err := printSteps(w, result); err != nil || !s.record {
		return err
	}
	_, err = fmt.Fprintf(w, "recorded %s\n", plural(recorded, "step"))
	return err
}

func printSteps(w io.Writer, r app.OverlapResult) error {
	for _, part := range []struct {
		what  string
		names []string
	}{{"same version", r.Same}, {"new", r.Added}, {"gone", r.Gone}} {
		if len(part.names) > 0 {
			fmt.Fprintf(w, "%s: %s\n", part.what, strings.Join(part.names, ", "))
		}
	}
	if len(r.Steps) == 0 {
		fmt.Fprintln(w, "no scorer has another version")
		return nil
	}
	t := newTable(w)
	fmt.Fprintln(t, "metric\tfrom\tto\tstep\t95 % interval\tsamples\tagree\tonly old\tonly new")
	for _, s := range r.Steps {
		if s.Error != "" {
			fmt.Fprintf(t, "%s\t%s\t%s\t-\t%s\t%d\t-\t%d\t%d\n", s.Metric, s.From, s.To, cell(s.Error), s.N, s.OnlyOld, s.OnlyNew)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%+.3g\t%+.3g to %+.3g\t%d\t%.1f %%\t%d\t%d\n", s.Metric, s.From, s.To, s.Step, s.Interval[0], s.Interval[1], s.N,
			100*s.Agreement, s.OnlyOld, s.OnlyNew)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range r.Steps {
		for i, d := range s.Worst {
			if i == 0 {
				fmt.Fprintf(w, "\n%s differs most on\n", s.Metric)
			}
			fmt.Fprintf(w, "  %s: %g, was %g\n", cell(d.Sample), d.New, d.Old)
		}
		if s.LeftOut > 0 {
			fmt.Fprintf(w, "%s: %d more samples were left out\n", s.Metric, s.LeftOut)
		}
	}
	return nil
}
