package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

func judgeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "judge", Short: "Read how far judges can be believed: anchors and human labels", Args: knownCommand,
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(judgeListCommand(), judgeShowCommand(), judgeAttackCommand())
	return cmd
}

const judgeServer = "internal address of a running server; the default is the configuration's"

func judgeListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Args: noArgs, Short: "List judges, and say which have moved"}
	path := configFlag(cmd)
	server := cmd.Flags().String("server", "", judgeServer)
	asJSON := cmd.Flags().Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		list, err := app.ListJudges(cmd.Context(), app.JudgeOptions{Config: cfg, Server: *server, Logger: quiet(cmd)})
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), map[string]any{"judges": list})
		}
		return printJudges(cmd.OutOrStdout(), list)
	}
	return cmd
}

func printJudges(w io.Writer, list []quality.JudgeStatus) error {
	if len(list) == 0 {
		fmt.Fprintln(w, "no judges")
		return nil
	}
	t := newTable(w)
	fmt.Fprintln(t, "feature\tmetric\tversion\tanchors\tlast run\tchange\t95 % interval\tstate")
	for i := range list {
		s := &list[i]
		last, change, interval := "never", "-", "-"
		if len(s.Runs) > 0 {
			last = shortTime(s.Runs[0].At)
			change, interval = measured(quality.Measure{Value: s.Runs[0].Change, Interval: s.Runs[0].Interval})
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", s.Feature, s.Metric, dash(s.Version), s.Anchors, last, change, interval, judgeState(s))
	}
	return t.Flush()
}

// judgeState says in words what the anchors tell.
func judgeState(s *quality.JudgeStatus) string {
	switch {
	case s.Moved != nil:
		return fmt.Sprintf("moved: %s since %s", s.Moved.Way, s.Moved.Since.UTC().Format("2006-01-02"))
	case s.Reason != "":
		return s.Reason
	case s.Watching:
		return "as it was"
	default:
		return "no run yet"
	}
}

// measured writes a number and its interval.
func measured(m quality.Measure) (value, within string) {
	return figure(m.Value), interval(m.Interval)
}

func judgeShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show FEATURE METRIC",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return quality.Errorf(quality.KindInvalid, "want a feature and a metric; asgood judge list shows them")
			}
			return nil
		},
		Short:   "Show how far a judge agrees with people, its mean, and its anchors",
		Example: "  asgood judge show support-assistant faithful\n  asgood judge show support-assistant faithful --json | jq .week.mean",
	}
	path := configFlag(cmd)
	server := cmd.Flags().String("server", "", judgeServer)
	asJSON := cmd.Flags().Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		report, err := app.ShowJudge(cmd.Context(), app.JudgeOptions{Config: cfg, Server: *server, Logger: quiet(cmd)}, args[0], args[1])
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), report)
		}
		return printJudge(cmd.OutOrStdout(), &report)
	}
	return cmd
}

func printJudge(w io.Writer, r *app.JudgeReport) error {
	fmt.Fprintf(w, "%s of %s, version %s: %s\n\n", r.Metric, r.Feature, dash(r.Version), judgeState(&r.JudgeStatus))
	t := newTable(w)
	row := func(name string, m quality.Measure, note string) {
		value, interval := measured(m)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", name, value, interval, note)
	}
	fmt.Fprintln(t, "\tvalue\t95 % interval\t")
	row("same mark", r.Agreement.Raw, fmt.Sprintf("%d samples, %d people", r.Agreement.N, r.Agreement.Labellers))
	row("kappa", r.Agreement.Kappa, r.Agreement.Note)
	row("alpha of people", r.Agreement.Humans, fmt.Sprintf("%d samples that several marked", r.Agreement.Shared))
	row("mean of the judge, 7 days", r.Week.Raw, fmt.Sprintf("%d samples", r.Week.Judged))
	row("mean put right", r.Week.Mean, fmt.Sprintf("%d labels, by %s", r.Week.Labels, r.Week.Method))
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Week.Note != "" {
		fmt.Fprintln(w, r.Week.Note)
	}
	return firstOf(printConfusion(w, &r.Agreement), printAnchorRuns(w, r.Runs))
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func printConfusion(w io.Writer, a *quality.Agreement) error {
	if a.N == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nrows: people, columns: judge")
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	for _, c := range a.Categories {
		fmt.Fprintf(t, "\t%g", c)
	}
	fmt.Fprintln(t, "\t")
	for i, counts := range a.Confusion {
		fmt.Fprintf(t, "%g", a.Categories[i])
		for _, n := range counts {
			fmt.Fprintf(t, "\t%d", n)
		}
		fmt.Fprintln(t, "\t")
	}
	return t.Flush()
}

// shownRuns is how many runs of anchors are printed; --json has all.
const shownRuns = 10

func printAnchorRuns(w io.Writer, runs []quality.AnchorRun) error {
	if len(runs) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := newTable(w)
	fmt.Fprintln(t, "anchors\tversion\tscored\tfailed\tmean\tchange\t95 % interval")
	for i := range runs[:min(len(runs), shownRuns)] {
		r := &runs[i]
		change, interval := measured(quality.Measure{Value: r.Change, Interval: r.Interval})
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%s\t%s\n", shortTime(r.At), dash(r.Version), r.Scored, r.Failed, figure(r.Mean), change, interval)
	}
	return t.Flush()
}
