package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/demo"
	"github.com/asgood-dev/asgood/internal/quality"
)

func configFlag(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("config", "c", "asgood.yaml", "configuration file")
}

// load reads the configuration; a missing file says what to do next.
func load(path string) (*config.Config, error) {
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return nil, quality.Errorf(quality.KindInvalid,
			"no configuration at %q: name one with --config, start from deploy/asgood.example.yaml, or try `asgood demo`", path)
	}
	return config.Load(path)
}

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "serve", Short: "Run every room of the house", Args: noArgs}
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		limitMemory(cfg)
		return app.Run(cmd.Context(), app.Options{Config: cfg, Logger: logger(cmd), Version: version, Announce: cmd.ErrOrStderr()})
	}
	return cmd
}

func demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "demo", Short: "Run everything with a simulated product: a week in about two minutes", Args: noArgs,
	}
	o := demo.Options{}
	f := cmd.Flags()
	f.StringVar(&o.Dir, "dir", "demo-data", "folder for the demo's data; an earlier demo's is emptied")
	f.StringVar(&o.Public, "public", ":8080", "address of the status page")
	f.StringVar(&o.Ingest, "ingest", "127.0.0.1:4318", "address of the ingest listener")
	f.StringVar(&o.Internal, "internal", "127.0.0.1:8081", "address of the internal listener")
	f.DurationVar(&o.Week, "week", 2*time.Minute, "how long the simulated week takes")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of the simulated product")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o.Out, o.Logger = cmd.OutOrStdout(), quiet(cmd)
		return demo.Run(cmd.Context(), o)
	}
	return cmd
}

func checkCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "check", Short: "Check a configuration file", Args: noArgs}
	path := configFlag(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := load(*path)
		if *asJSON {
			return checkJSON(cmd.OutOrStdout(), *path, cfg, err)
		}
		if err != nil {
			return err
		}
		r := count(*path, cfg)
		fmt.Fprintf(cmd.OutOrStdout(), "%s is good: %s, %s, %s, %s, %s\n", r.File, plural(r.Features, "feature"),
			plural(r.Scorers, "scorer"), plural(r.Monitors, "monitor"), plural(r.Probes, "probe"), plural(r.Canaries, "canary"))
		return nil
	}
	return cmd
}

// checkResult is what a check prints as JSON.
type checkResult struct {
	File     string           `json:"file"`
	Features int              `json:"features"`
	Scorers  int              `json:"scorers"`
	Monitors int              `json:"monitors"`
	Probes   int              `json:"probes"`
	Canaries int              `json:"canaries"`
	Problems []config.Problem `json:"problems"` // empty when the file is good
}

func count(path string, cfg *config.Config) checkResult {
	r := checkResult{File: path, Features: len(cfg.Features), Problems: []config.Problem{}}
	for _, f := range cfg.Features {
		r.Scorers, r.Monitors = r.Scorers+len(f.Scorers), r.Monitors+len(f.Monitors)
		r.Probes, r.Canaries = r.Probes+len(f.Probes), r.Canaries+len(f.Canaries)
	}
	return r
}

// checkJSON prints the problems of a file. One that cannot be read at all is an error as elsewhere.
func checkJSON(w io.Writer, path string, cfg *config.Config, err error) error {
	var problems config.Problems
	r := checkResult{File: path}
	switch {
	case err == nil:
		r = count(path, cfg)
	case errors.As(err, &problems):
		r.Problems = problems
	default:
		return err
	}
	if err := json.NewEncoder(w).Encode(r); err != nil {
		return err
	}
	if len(problems) > 0 {
		return errPrinted
	}
	return nil
}

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "migrate", Short: "Bring the database to this version's schema and stop", Args: noArgs}
	path := configFlag(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		applied, err := app.Migrate(cmd.Context(), cfg, quiet(cmd))
		if err != nil {
			return err
		}
		return printApplied(cmd.OutOrStdout(), applied, *asJSON)
	}
	return cmd
}

// printApplied prints the names of the migrations that were applied, none when the schema was up to date.
func printApplied(w io.Writer, applied []string, asJSON bool) error {
	switch {
	case asJSON:
		return json.NewEncoder(w).Encode(map[string][]string{"applied": append([]string{}, applied...)})
	case len(applied) == 0:
		fmt.Fprintln(w, "nothing to do")
	default:
		fmt.Fprintln(w, "applied:", strings.Join(applied, ", "))
	}
	return nil
}
