package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

func backtestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "backtest", Args: noArgs,
		Short: "Run the monitors over a file or stored scores, and measure them",
		Long: "Backtest reads samples (NDJSON, a JSON array, or one JSON object) and says\n" +
			"what the configured monitors would have found, and when. Without --input it\n" +
			"takes the stored scores from --from to --to. With --study, --plot or --against\n" +
			"it also counts false alarms on shuffled scores and measures how fast planted\n" +
			"drops are found. Exit status 0 whatever is found; 3 with --fail-on-regression\n" +
			"when something is.",
		Example: "  asgood backtest -i samples.ndjson\n" +
			"  asgood backtest --from 2026-02-01 --to 2026-03-01 --against proposed.yaml --plot backtest.svg",
	}
	path := configFlag(cmd)
	b := addBacktestFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		study, err := b.run(cmd, cfg)
		if err != nil {
			return err
		}
		if err := printStudy(cmd.OutOrStdout(), study, b.asJSON); err != nil {
			return err
		}
		if b.fail && len(study.Regressions) > 0 {
			return errRegression
		}
		return nil
	}
	return cmd
}

// backtestFlags are the flags of the command as they are written.
type backtestFlags struct {
	input, from, to, server string
	against, plot           string
	study, asJSON, fail     bool
	options                 app.BacktestStudy
}

func addBacktestFlags(cmd *cobra.Command) *backtestFlags {
	b := &backtestFlags{}
	f := cmd.Flags()
	f.StringVarP(&b.input, "input", "i", "", "file of samples, - for standard input")
	f.StringVar(&b.from, "from", "", "stored scores from this time or date on, instead of a file")
	f.StringVar(&b.to, "to", "", "stored scores before this time or date; the default is now")
	f.StringVar(&b.server, "server", "", "internal address of a running server; the default is the configuration's, and the data directory itself when none runs")
	f.StringVar(&b.against, "against", "", "proposed configuration to measure beside the one in use")
	f.StringVar(&b.plot, "plot", "", "file to draw the study into, as SVG")
	f.BoolVar(&b.study, "study", false, "measure false alarms and delays")
	f.Uint64Var(&b.options.Seed, "seed", 1, "of shuffles and of the times of drops; the same seed gives the same study")
	f.IntVar(&b.options.Shuffles, "shuffles", 20, "how often the good period is shuffled, 1 to 1000")
	f.Float64SliceVar(&b.options.Drops, "drops", []float64{1, 2, 5, 10}, "sizes of planted drops in percent of the metric's range")
	f.IntVar(&b.options.Repeats, "repeats", 20, "how often each size is planted, 1 to 1000")
	f.BoolVar(&b.asJSON, "json", false, "print the result as JSON")
	f.BoolVar(&b.fail, "fail-on-regression", false, "exit with status 3 when a regression is found")
	return b
}

func (b *backtestFlags) run(cmd *cobra.Command, cfg *config.Config) (study *app.Study, err error) {
	count := progress(cmd)
	defer count.end()
	o := app.StudyOptions{Config: cfg, Server: b.server, Measure: b.study || b.against != "" || b.plot != "", Study: b.options,
		Read: count.read, Logger: quiet(cmd)}
	o.Study.Progress = count.of("replays")
	switch {
	case b.input == "" && b.from == "":
		return nil, quality.Errorf(quality.KindInvalid, "required and missing: --input; see %s --help (or --from, for stored scores)", cmd.CommandPath())
	case b.input != "" && (b.from != "" || b.to != ""):
		return nil, quality.Errorf(quality.KindInvalid, "--input and --from exclude each other: a file is taken whole")
	case b.input == "":
		if o.From, o.To, err = parsePeriod(b.from, b.to, cfg.Location(), time.Now()); err != nil {
			return nil, err
		}
	}
	if b.against != "" {
		if o.Against, err = load(b.against); err != nil {
			return nil, err
		}
	}
	if b.input != "" {
		file, err := open(cmd, b.input)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		o.Input = file
	}
	if study, err = app.RunStudy(cmd.Context(), o); err != nil {
		return nil, fmt.Errorf("backtest of %q: %w", cmp.Or(b.input, "stored scores"), err)
	}
	if b.plot == "" {
		return study, nil
	}
	if err := os.WriteFile(b.plot, []byte(study.Plot()), 0o644); err != nil { //nolint:gosec // a picture for everyone
		return nil, fmt.Errorf("writing the plot: %w", err)
	}
	return study, nil
}

// parsePeriod reads the ends of a period: times, or dates of the reporting time zone.
func parsePeriod(from, to string, loc *time.Location, now time.Time) (a, b time.Time, err error) {
	if a, err = parseMoment("--from", from, loc); err != nil {
		return a, b, err
	}
	if b = now; to != "" {
		if b, err = parseMoment("--to", to, loc); err != nil {
			return a, b, err
		}
	}
	if !a.Before(b) {
		return a, b, quality.Errorf(quality.KindInvalid, "--from %s is not before --to %s", a.Format(time.RFC3339), b.Format(time.RFC3339))
	}
	return a, b, nil
}

func parseMoment(flag, s string, loc *time.Location) (time.Time, error) {
	if at, err := time.ParseInLocation(time.DateOnly, s, loc); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return at, quality.Errorf(quality.KindInvalid, "%s %q: want a date such as 2026-03-01 or a time such as 2026-03-01T12:00:00Z", flag, s)
	}
	return at, nil
}

// printStudy prints what plain backtests print, and what was measured below.
func printStudy(w io.Writer, s *app.Study, asJSON bool) error {
	if asJSON {
		return printJSON(w, s)
	}
	if s.Proposed != nil {
		fmt.Fprintln(w, "CURRENT")
	}
	if err := printSide(w, &s.StudySide); err != nil || s.Proposed == nil {
		return err
	}
	fmt.Fprintln(w, "\nPROPOSED")
	return printSide(w, s.Proposed)
}

func printSide(w io.Writer, s *app.StudySide) error {
	if err := printBacktest(w, &s.BacktestResult); err != nil || len(s.Monitors) == 0 {
		return err
	}
	t := newTable(w)
	fmt.Fprintln(t, "\nfeature\tmetric\tscores\tgood\tbaseline\tfalse alarms per 100,000\t95 % interval\tallowed\tshuffled")
	for i := range s.Monitors {
		m := &s.Monitors[i]
		if m.FalseAlarms == nil {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\tnot measured: %s\n", m.Feature, m.Metric, m.Scores, m.Good, m.Baseline, m.Problem)
			continue
		}
		f := m.FalseAlarms
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", m.Feature, m.Metric, m.Scores, m.Good, m.Baseline, rough(f.Per100k), roughly(f.Interval), rough(f.Allowed), f.Shuffle)
	}
	fmt.Fprintln(t, "\nfeature\tmetric\tdrop\tfound\tearly\tmedian\t90 % within\tmedian time\t90 % within")
	for i := range s.Monitors {
		m := &s.Monitors[i]
		for _, d := range m.Drops {
			found := fmt.Sprintf("%d of %d", d.Found, d.Runs-d.Early)
			if d.Problem != "" {
				found = d.Problem
			}
			fmt.Fprintf(t, "%s\t%s\t%v points\t%s\t%d\t%s\t%s\t%s\t%s\n", m.Feature, m.Metric, d.Points, found, d.Early,
				whole(d.MedianScores), whole(d.P90Scores), seconds(d.MedianSeconds), seconds(d.P90Seconds))
		}
	}
	return t.Flush()
}

func whole(x *float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f", *x)
}

// seconds writes a duration in its two largest units: it is a median of some runs.
func seconds(x *float64) string {
	if x == nil {
		return "-"
	}
	switch d := time.Duration(*x * float64(time.Second)); {
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < 48*time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	default:
		return fmt.Sprintf("%.1fd", d.Hours()/24)
	}
}

// rough writes what a few events were counted for: two digits of it mean something.
func rough(x *float64) string {
	switch {
	case x == nil:
		return "-"
	case *x >= 10 || *x == 0:
		return fmt.Sprintf("%.0f", *x)
	case *x >= 1:
		return fmt.Sprintf("%.1f", *x)
	default:
		return fmt.Sprintf("%.2g", *x)
	}
}

func roughly(x *[2]float64) string {
	if x == nil {
		return "-"
	}
	return rough(&x[0]) + " to " + rough(&x[1])
}

func printBacktest(w io.Writer, result *app.BacktestResult) error {
	fmt.Fprintf(w, "%s, %s, %s\n", plural(result.Samples, "sample"), plural(result.Streams, "stream"), plural(len(result.Regressions), "regression"))
	if len(result.Regressions) == 0 {
		return nil
	}
	t := newTable(w)
	fmt.Fprintln(t, "feature\tmetric\tslice\tbaseline\tcurrent\tchange\t95 % interval\tstarted (sample)\tdetected (sample)\trecovered")
	for _, r := range result.Regressions {
		started, recovered := "-", "no"
		if r.StartedAt != nil {
			started = fmt.Sprintf("%s (%d)", shortTime(*r.StartedAt), r.StartedSample)
		}
		if r.RecoveredAt != nil {
			recovered = shortTime(*r.RecoveredAt)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s (%d)\t%s\n", r.Feature, r.Metric, cell(cmp.Or(r.Slice.Key(), "all")), // its value comes from samples

			figure(r.Baseline.Mean), figure(r.Current.Mean), figure(r.Change), interval(r.Interval), started, shortTime(r.DetectedAt), r.DetectedSample, recovered)
	}
	return t.Flush()
}

// open opens a file, or standard input for "-".
func open(cmd *cobra.Command, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "%w", err)
	}
	return f, nil
}
