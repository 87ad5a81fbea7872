package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

func canaryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "canary", Short: "Ask golden prompts, and read how often they behave well", Args: knownCommand,
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(canaryRunCommand(), canaryListCommand())
	return cmd
}

const canaryServer = "internal address of a running server; the default is the configuration's, and the data directory itself when none runs"

func canaryRunCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "run NAME", Args: nameArgument,
		Short:   "Ask every prompt of a canary now, outside of its schedule",
		Example: "  asgood canary run golden\n  asgood canary run golden --json | jq .all.rate",
	}
	path := configFlag(cmd)
	server := cmd.Flags().String("server", "", canaryServer)
	asJSON := cmd.Flags().Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		count := progress(cmd)
		report, err := app.RunCanary(cmd.Context(), app.CanaryOptions{Config: cfg, Server: *server, Progress: count.of("calls"), Logger: quiet(cmd)}, args[0])
		count.end()
		if err != nil {
			return fmt.Errorf("running canary %q: %w", args[0], err)
		}
		return printCanaryRun(cmd.OutOrStdout(), &report, *asJSON)
	}
	return cmd
}

func nameArgument(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return quality.Errorf(quality.KindInvalid, "want the name of one canary; asgood canary list shows them")
	}
	return nil
}

func printCanaryRun(w io.Writer, r *app.CanaryReport, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	t := newTable(w)
	fmt.Fprintln(t, "prompt\trate\t95 % interval\tcount\tof\tcounted\tfailed\tfirst failure")
	for i := range r.Prompts {
		printRate(t, r.Prompts[i].PromptID, &r.Prompts[i].BehaviourRate, dash(r.Prompts[i].Problem))
	}
	printRate(t, "all", &r.All, "")
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Run.Unasked > 0 {
		fmt.Fprintf(w, "%d calls were not made: the time of the run was over\n", r.Run.Unasked)
	}
	if r.Run.Lost > 0 {
		fmt.Fprintf(w, "%d answers could not be stored as samples\n", r.Run.Lost)
	}
	if r.Run.Calls > 0 && r.Run.Failed == r.Run.Calls {
		return fmt.Errorf("none of %d calls has an answer", r.Run.Calls)
	}
	return nil
}

func printRate(w io.Writer, name string, r *quality.BehaviourRate, last string) {
	rate, within := rateOf(r)
	fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%d\t%s\n", name, rate, within, r.Count, r.N, r.Kind, r.Failed, last)
}

// rateOf writes a rate and its interval.
func rateOf(r *quality.BehaviourRate) (rate, within string) {
	if r.Rate == nil {
		return "-", "-"
	}
	return figure(r.Rate), interval(&[2]float64{r.Lo, r.Hi})
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func canaryListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Args: noArgs, Short: "List canaries with their latest behaviour rates"}
	path := configFlag(cmd)
	server := cmd.Flags().String("server", "", canaryServer)
	asJSON := cmd.Flags().Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		list, err := app.ListCanaries(cmd.Context(), app.CanaryOptions{Config: cfg, Server: *server, Logger: quiet(cmd)})
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), map[string]any{"canaries": list})
		}
		return printCanaries(cmd.OutOrStdout(), list)
	}
	return cmd
}

func printCanaries(w io.Writer, list []app.CanaryStatus) error {
	if len(list) == 0 {
		fmt.Fprintln(w, "no canaries")
		return nil
	}
	t := newTable(w)
	fmt.Fprintln(t, "name\tfeature\tendpoint\tevery\tprompts\trepeat\tlast run\tcalls\tfailed\trate\t95 % interval")
	for i := range list {
		c := &list[i]
		last, done, failed := "never", "-", "-"
		if c.Last != nil {
			last = shortTime(c.Last.StartedAt)
			done, failed = fmt.Sprint(c.Last.Calls), fmt.Sprint(c.Last.Failed)
		}
		rate, within := "-", "-"
		if c.All != nil {
			rate, within = rateOf(&c.All.Latest)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", c.Name, c.Feature, c.Endpoint,
			time.Duration(c.EverySeconds)*time.Second, c.Prompts, c.Repeat, last, done, failed, rate, within)
	}
	return t.Flush()
}
