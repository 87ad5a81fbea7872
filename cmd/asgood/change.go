package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

func changeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "change", Short: "Record and list what could have changed a feature's behaviour", Args: knownCommand,
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(changeAddCommand(), changeListCommand())
	return cmd
}

func changeAddCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "add", Args: noArgs,
		Short: "Record a change",
		Example: "  asgood change add --feature support-assistant --layer prompt --title 'Shorter answers' --owner team-support \\\n" +
			"    --reference https://github.com/acme/support-bot/pull/7 --before support@v12 --after support@v13",
	}
	var c quality.Change
	var layer, at, server string
	var carries []string
	var asJSON bool
	path := configFlag(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&c.Features, "feature", nil, "feature that is changed, may be given several times; the default is every feature")
	f.StringVar(&layer, "layer", "", "model, prompt, retrieval, tools, serving, judge or traffic (required)")
	f.StringSliceVar(&carries, "carries", nil, "other layers that it may have changed too, comma separated")
	f.StringVar(&c.Title, "title", "", "what was done, in one line (required)")
	f.StringVar(&c.Description, "description", "", "more about it")
	f.StringVar(&c.Owner, "owner", "", "who answers for it")
	f.StringVar(&c.Reviewer, "reviewer", "", "who looked at it")
	f.StringVar(&c.Reference, "reference", "", "URL of where it was made or discussed")
	f.StringVar(&c.Before, "before", "", "what was in use before, such as the name of a model")
	f.StringVar(&c.After, "after", "", "what is in use now")
	f.StringVar(&at, "at", "", "time or date when it took effect, such as 2026-03-01T12:00:00Z; the default is now")
	f.StringVar(&c.ID, "id", "", "id of the change; the same id again is the same change")
	f.StringVar(&server, "server", "", "ingest address of a running server; the default is the configuration's, and the data directory itself when none runs; $ASGOOD_KEY is sent as key")
	f.BoolVar(&asJSON, "json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		c.Layer = quality.Layer(layer)
		for _, l := range carries {
			c.Carries = append(c.Carries, quality.Layer(l))
		}
		if err := c.Validate(); err != nil {
			return err
		}
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		if at != "" {
			if c.At, err = parseMoment("--at", at, cfg.Location()); err != nil {
				return err
			}
		}
		id, added, err := app.AddChange(cmd.Context(), app.ChangeOptions{Config: cfg, Server: server, Key: os.Getenv(envKey), Logger: quiet(cmd)}, c)
		if err != nil {
			return err
		}
		return printAdded(cmd.OutOrStdout(), id, added, asJSON)
	}
	return cmd
}

func printAdded(w io.Writer, id string, added, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]any{"id": id, "added": added})
	}
	if !added {
		fmt.Fprintln(w, id, "was recorded before")
		return nil
	}
	fmt.Fprintln(w, "recorded", id)
	return nil
}

func changeListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Args: noArgs,
		Short: "List recorded and undeclared changes, the newest first",
	}
	path := configFlag(cmd)
	f := cmd.Flags()
	values := url.Values{}
	flags := map[string]*string{}
	for name, usage := range map[string]string{
		"feature": "only what may have changed this feature", "layer": "only what may have changed this layer",
		"from": "only from this time or date on", "to": "only before this time or date",
		"limit": "how many, 1 to 1000 (default 100)", "cursor": "go on behind the page before",
	} {
		flags[name] = f.String(name, "", usage)
	}
	undeclared := f.Bool("undeclared", false, "only what was seen in the samples and what nothing explains; =false for the others")
	server := f.String("server", "", "internal address of a running server; the default is the configuration's, and the data directory itself when none runs")
	asJSON := f.Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for name, v := range flags {
			if *v != "" {
				values.Set(name, *v)
			}
		}
		if f.Changed("undeclared") {
			values.Set("undeclared", fmt.Sprint(*undeclared))
		}
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		page, err := app.ListChanges(cmd.Context(), app.ChangeOptions{Config: cfg, Server: *server, Logger: quiet(cmd)}, values)
		if err != nil {
			return err
		}
		return printChanges(cmd.OutOrStdout(), page, *asJSON)
	}
	return cmd
}

func printChanges(w io.Writer, page app.ChangePage, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(page)
	}
	if len(page.Changes) == 0 {
		fmt.Fprintln(w, "no changes")
		return nil
	}
	t := newTable(w)
	fmt.Fprintln(t, "at\tlayer\tfeatures\ttitle\tbefore\tafter\towner\tsource\tnotes")
	for i := range page.Changes {
		c := &page.Changes[i]
		features := strings.Join(c.Features, ",")
		if features == "" {
			features = "all"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", shortTime(c.At), c.Layer, features, c.Title,
			dash(c.Before), dash(c.After), dash(c.Owner), c.Source, dash(notes(c)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if page.Next != "" {
		fmt.Fprintln(w, "more: --cursor", page.Next)
	}
	return nil
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// notes is what is to be said of an entry beside its facts.
func notes(c *quality.Change) string {
	var out []string
	switch {
	case c.Unexplained():
		out = append(out, fmt.Sprintf("undeclared, %.1f %% of the traffic", 100*c.Share))
	case c.Undeclared:
		out = append(out, "explained by "+c.ExplainedBy)
	}
	return strings.Join(append(out, c.Flags...), ", ")
}
