package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

func judgeAttackCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "attack NAME", Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return quality.Errorf(quality.KindInvalid, "want the name of one scorer of type judge")
			}
			return nil
		},
		Short:   "Ask a judge about a bad answer with each published attack",
		Example: "  asgood judge attack faithful\n  asgood judge attack faithful --naive --json | jq .moved",
	}
	path := configFlag(cmd)
	naive := cmd.Flags().Bool("naive", false, "leave the defence out, to see what it is worth")
	asJSON := cmd.Flags().Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		count := progress(cmd)
		report, err := app.AttackJudge(cmd.Context(), cfg, args[0], *naive, count.of("attacks"))
		count.end()
		if err != nil {
			return fmt.Errorf("attacking judge %q: %w", args[0], err)
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), report)
		}
		return printAttacks(cmd.OutOrStdout(), &report)
	}
	return cmd
}

func printAttacks(w io.Writer, r *app.AttackReport) error {
	t := newTable(w)
	fmt.Fprintln(t, "attack\tlanguage\tplain\twith it\tmoved\tnoticed\tfailed")
	for i := range r.Results {
		x := &r.Results[i]
		fmt.Fprintf(t, "%s\t%s\t%g\t%g\t%v\t%v\t%s\n", x.Name, x.Language, x.Plain, x.Value, x.Moved, x.Noticed, dash(x.Failed))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d of %d attacks moved the score (%.1f %%), %d were noticed, %d made no score\n", r.Moved, r.N, 100*r.Share(), r.Noticed, r.Failed)
	return nil
}
