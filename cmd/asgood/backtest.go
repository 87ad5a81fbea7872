package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

func backtestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "backtest", Args: noArgs,
		Short: "Run the scorers and detectors over a file of samples; no server is needed",
		Long: "Backtest reads samples (NDJSON, a JSON array, or one JSON object) and says what the configured monitors\n" +
			"would have found, and when. Exit status 0 whatever is found; 3 with --fail-on-regression when something is.",
	}
	path := configFlag(cmd)
	input := cmd.Flags().StringP("input", "i", "", "file of samples, - for standard input (required)")
	asJSON := cmd.Flags().Bool("json", false, "print the result as JSON")
	fail := cmd.Flags().Bool("fail-on-regression", false, "exit with status 3 when a regression is found")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := requireFlags(cmd, "input"); err != nil {
			return err
		}
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		file, err := open(cmd, *input)
		if err != nil {
			return err
		}
		defer file.Close()
		result, err := app.Backtest(cmd.Context(), cfg, file, progress(cmd, "samples"))
		if err != nil {
			return fmt.Errorf("backtest of %q: %w", *input, err)
		}
		if err := printBacktest(cmd.OutOrStdout(), result, *asJSON); err != nil {
			return err
		}
		if *fail && len(result.Regressions) > 0 {
			return errRegression
		}
		return nil
	}
	return cmd
}

func printBacktest(w io.Writer, result *app.BacktestResult, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(result)
	}
	fmt.Fprintf(w, "%d samples, %d streams, %d regressions\n", result.Samples, result.Streams, len(result.Regressions))
	if len(result.Regressions) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "feature\tmetric\tslice\tbaseline\tcurrent\tchange\t95 % interval\tstarted (sample)\tdetected (sample)\trecovered")
	for _, r := range result.Regressions {
		slice, recovered := r.Slice.Key(), "no"
		if slice == "" {
			slice = "all"
		}
		if r.RecoveredAt != nil {
			recovered = r.RecoveredAt.Format("2006-01-02 15:04")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", r.Feature, r.Metric, slice,
			figure(r.Baseline.Mean), figure(r.Current.Mean), figure(r.Change), interval(r.Interval), r.StartedSample, r.DetectedSample, recovered)
	}
	return t.Flush()
}

func figure(x *float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *x)
}

func interval(x *[2]float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f to %.3f", x[0], x[1])
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
