// Command asgood watches AI features for getting worse. This package owns flags, signals and
// subcommands; what they do is in internal/app.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/quality"
)

// version is set when the program is linked.
var version = "dev"

// Exit codes, for scripts.
const (
	exitError      = 1 // something failed
	exitInvalid    = 2 // the input or the configuration is wrong
	exitRegression = 3 // --fail-on-regression, and something got worse
)

// errRegression asks for exitRegression without a message: the result was printed.
var errRegression = errors.New("a regression was found")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	os.Exit(exitCode(err))
}

func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errRegression):
		return exitRegression
	}
	fmt.Fprintln(os.Stderr, "asgood:", err)
	if quality.KindOf(err) == quality.KindInvalid {
		return exitInvalid
	}
	return exitError
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "asgood",
		Short:         "Asgood tells everyone who depends on an AI feature whether it is as good as it was last week.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
	}
	cmd.PersistentFlags().Bool("verbose", false, "log in detail")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return quality.Errorf(quality.KindInvalid, "%w", err)
	})
	cmd.AddCommand(serveCommand(), demoCommand(), checkCommand(), importCommand(), backtestCommand(), changeCommand(), canaryCommand(), migrateCommand(), versionCommand())
	return cmd
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "asgood", version) },
	}
}

// logger writes to standard error; debug lines only with --verbose.
func logger(cmd *cobra.Command) *slog.Logger {
	level := slog.LevelInfo
	if verbose, err := cmd.Flags().GetBool("verbose"); err == nil && verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
}

// quiet keeps warnings and errors only, for commands whose output is for reading.
func quiet(cmd *cobra.Command) *slog.Logger {
	if verbose, err := cmd.Flags().GetBool("verbose"); err == nil && verbose {
		return logger(cmd)
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}
