package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

func baselineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "baseline", Short: "List, show, promote and pin what scores are compared with", Args: knownCommand,
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(baselineListCommand(), baselineShowCommand(), baselinePromoteCommand(), baselinePinCommand())
	return cmd
}

func baselineOptions(cmd *cobra.Command, k *keyFlags) (app.BaselineOptions, error) {
	cfg, err := load(*k.path)
	return app.BaselineOptions{Config: cfg, Server: k.server, Logger: quiet(cmd)}, err
}

// args wants so many arguments, and names them.
func args(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, list []string) error {
		if len(list) == n {
			return nil
		}
		return quality.Errorf(quality.KindInvalid, "want %s; see %s --help", what, cmd.CommandPath())
	}
}

func baselineListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Args: noArgs, Short: "List the baseline in force of every monitor"}
	flags := addKeyFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o, err := baselineOptions(cmd, flags)
		if err != nil {
			return err
		}
		list, err := app.ListBaselines(cmd.Context(), o)
		if err != nil {
			return err
		}
		if flags.asJSON {
			return printJSON(cmd.OutOrStdout(), map[string]any{"baselines": list})
		}
		return printBaselines(cmd.OutOrStdout(), list)
	}
	return cmd
}

func printBaselines(w io.Writer, list []quality.BaselineBook) error {
	t := newTable(w)
	fmt.Fprintln(t, "feature\tmetric\tin force\tkind\tscores\tmean\tmade\tby\tversions\tnot promoted")
	for i := range list {
		b := &list[i]
		v := b.Version(b.InForce)
		if v == nil {
			fmt.Fprintf(t, "%s\t%s\tas configured\t-\t-\t-\t-\t-\t%d\t%s\n", b.Feature, b.Metric, len(b.Versions), dash(b.Declined))
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%d\t%s\t%s\t%s\t%d\t%s\n", b.Feature, b.Metric, v.Version, v.Kind, v.N, number(v.Mean),
			shortTime(v.MadeAt), v.By, len(b.Versions), dash(b.Declined))
	}
	return t.Flush()
}

func baselineShowCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "show FEATURE METRIC", Args: args(2, "a feature and a metric"), Short: "Show all versions of a baseline and who put them in force"}
	flags := addKeyFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o, err := baselineOptions(cmd, flags)
		if err != nil {
			return err
		}
		b, err := app.ShowBaseline(cmd.Context(), o, args[0], args[1])
		if err != nil {
			return err
		}
		return printBook(cmd.OutOrStdout(), &b, flags.asJSON)
	}
	return cmd
}

func printBook(w io.Writer, b *quality.BaselineBook, asJSON bool) error {
	if asJSON {
		return printJSON(w, b)
	}
	fmt.Fprintf(w, "%s %s: in force is %s\n", b.Feature, b.Metric, versionText(b.InForce))
	if b.Declined != "" {
		fmt.Fprintln(w, "not promoted:", b.Declined)
	}
	t := newTable(w)
	fmt.Fprintln(t, "version\tname\tkind\tscores\tmean\tsd\tfrom\tto\tmade\tby\treason")
	for _, v := range b.Versions {
		fmt.Fprintf(t, "%d\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Version, dash(v.Name), v.Kind, v.N, number(v.Mean), number(v.SD),
			shortTime(v.From), shortTime(v.To), shortTime(v.MadeAt), v.By, v.Reason)
	}
	fmt.Fprintln(t, "\nput in force\tversion\tby\treason")
	for _, p := range b.Pins {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", shortTime(p.At), versionText(p.Version), p.By, p.Reason)
	}
	return t.Flush()
}

func versionText(n int) string {
	if n == 0 {
		return "as configured"
	}
	return strconv.Itoa(n)
}

func baselinePromoteCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "promote FEATURE METRIC", Args: args(2, "a feature and a metric"),
		Short: "Make a new version from stored scores and put it in force",
		Long: "Promote takes the scores from --from to --to. What must not become a baseline\n" +
			"is refused with the reason: an open or past regression, a blind monitor,\n" +
			"several versions of a scorer, or a level that slid down slowly. A person may\n" +
			"accept a new level by name: --accept with the id of the open regression, which\n" +
			"is then withdrawn, or --accept slide. The monitor starts anew.",
		Example: "  asgood baseline promote support-assistant correct --by team-support --reason 'new model, checked by hand'\n" +
			"  asgood baseline promote support-assistant correct --accept reg_c852cb61fddf1dff1bce --by ana --reason 'shorter answers are wanted'",
	}
	var p app.Promotion
	var from, to string
	flags := addKeyFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "scores from this time or date on; the default is 7 days ago, or the end of the last regression")
	f.StringVar(&to, "to", "", "scores before this time or date; the default is now")
	f.StringVar(&p.Name, "name", "", "of the version")
	f.StringVar(&p.By, "by", "", "owner: who answers for it (required)")
	f.StringVar(&p.Reason, "reason", "", "why (required)")
	f.StringVar(&p.Accept, "accept", "", "id of the open regression whose level is accepted, or slide")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := requireFlags(cmd, "by", "reason"); err != nil {
			return err
		}
		o, err := baselineOptions(cmd, flags)
		if err != nil {
			return err
		}
		for _, x := range []struct {
			flag, text string
			to         *time.Time
		}{{"--from", from, &p.From}, {"--to", to, &p.To}} {
			if x.text == "" {
				continue
			}
			if *x.to, err = parseMoment(x.flag, x.text, o.Config.Location()); err != nil {
				return err
			}
		}
		v, err := app.PromoteBaseline(cmd.Context(), o, args[0], args[1], p)
		if err != nil {
			return err
		}
		if flags.asJSON {
			return printJSON(cmd.OutOrStdout(), v)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "version %d of %s %s is in force: %d scores, mean %s\n", v.Version, v.Feature, v.Metric, v.N, number(v.Mean))
		return nil
	}
	return cmd
}

func baselinePinCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "pin FEATURE METRIC VERSION", Args: args(3, "a feature, a metric and a version"),
		Short: "Put an earlier version in force; 0 is what the configuration says",
	}
	var p quality.BaselinePin
	flags := addKeyFlags(cmd)
	cmd.Flags().StringVar(&p.By, "by", "", "who does it (required)")
	cmd.Flags().StringVar(&p.Reason, "reason", "", "why (required)")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if err := requireFlags(cmd, "by", "reason"); err != nil {
			return err
		}
		if p.Version, err = strconv.Atoi(args[2]); err != nil || p.Version < 0 {
			return quality.Errorf(quality.KindInvalid, "version %q: want a number, 0 for what the configuration says", args[2])
		}
		o, err := baselineOptions(cmd, flags)
		if err != nil {
			return err
		}
		b, err := app.PinBaseline(cmd.Context(), o, args[0], args[1], p)
		if err != nil {
			return err
		}
		if flags.asJSON {
			return printJSON(cmd.OutOrStdout(), b)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s %s: in force is %s\n", b.Feature, b.Metric, versionText(b.InForce))
		return nil
	}
	return cmd
}
