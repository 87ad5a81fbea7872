package main

import (
	"fmt"
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
	cmd := &cobra.Command{Use: "serve", Short: "Run every room of the house", Args: cobra.NoArgs}
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		return app.Run(cmd.Context(), app.Options{Config: cfg, Logger: logger(cmd), Version: version})
	}
	return cmd
}

func demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "demo", Short: "Run everything with a simulated product: a week in about two minutes", Args: cobra.NoArgs,
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
	cmd := &cobra.Command{Use: "check", Short: "Check a configuration file", Args: cobra.NoArgs}
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		var scorers, monitors, probes int
		for _, f := range cfg.Features {
			scorers, monitors, probes = scorers+len(f.Scorers), monitors+len(f.Monitors), probes+len(f.Probes)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s is good: %d features, %d scorers, %d monitors, %d probes\n",
			*path, len(cfg.Features), scorers, monitors, probes)
		return nil
	}
	return cmd
}

func migrateCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "migrate", Short: "Bring the database to this version's schema and stop", Args: cobra.NoArgs}
	path := configFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := load(*path)
		if err != nil {
			return err
		}
		applied, err := app.Migrate(cmd.Context(), cfg, quiet(cmd))
		if err != nil {
			return err
		}
		if len(applied) == 0 {
			fmt.Fprintln(cmd.OutOrStdout(), "nothing to do")
			return nil
		}
		fmt.Fprintln(cmd.OutOrStdout(), "applied:", strings.Join(applied, ", "))
		return nil
	}
	return cmd
}
