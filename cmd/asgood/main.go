// Command asgood watches AI features for getting worse. This package owns flags, signals and
// subcommands; what they do is in internal/app.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
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
	exitPartly     = 4 // an import took some rows and refused others
)

// errRegression asks for exitRegression without a message: the result was printed.
var errRegression = errors.New("a regression was found")

// errPartly asks for exitPartly without a message: what was refused was printed.
var errPartly = errors.New("some rows were refused")

// errPrinted asks for exitInvalid without a message: what is wrong was printed.
var errPrinted = errors.New("the input is wrong")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	os.Exit(exitCode(os.Stderr, err))
}

// exitCode tells what went wrong and returns the code of it.
func exitCode(w io.Writer, err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errRegression):
		return exitRegression
	case errors.Is(err, errPartly):
		return exitPartly
	case errors.Is(err, errPrinted):
		return exitInvalid
	}
	fmt.Fprintln(w, "asgood:", err)
	if quality.KindOf(err) == quality.KindInvalid {
		return exitInvalid
	}
	return exitError
}

// helpWidth is how many characters a line of help has at most.
const helpWidth = 80

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "asgood",
		Short:         "Asgood tells everyone who depends on an AI feature whether it is\nas good as it was last week.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
		Args:          knownCommand,

		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SetUsageTemplate(strings.ReplaceAll(cmd.UsageTemplate(), "FlagUsages ", fmt.Sprintf("FlagUsagesWrapped %d ", helpWidth)))
	cmd.PersistentFlags().Bool("verbose", false, "log in detail")
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return quality.Errorf(quality.KindInvalid, "%w", err)
	})
	cmd.AddCommand(serveCommand(), demoCommand(), checkCommand(), exportCommand(), importCommand(), backtestCommand(), scoreCommand(), baselineCommand(), changeCommand(), canaryCommand(), judgeCommand(), keyCommand(), personCommand(), customerCommand(), migrateCommand(), versionCommand())
	return cmd
}

// knownCommand refuses what is no subcommand.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := "see " + cmd.CommandPath() + " --help"
	if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
		hint = "did you mean " + strings.Join(s, " or ") + "?"
	}
	return quality.Errorf(quality.KindInvalid, "unknown command %q (%s)", args[0], hint)
}

// noArgs refuses what stands behind the flags.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return quality.Errorf(quality.KindInvalid, "unexpected %q: see %s --help", args[0], cmd.CommandPath())
}

func versionCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "version", Short: "Print the version", Args: noArgs}
	asJSON := cmd.Flags().Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{"version": version})
		}
		fmt.Fprintln(cmd.OutOrStdout(), "asgood", version)
		return nil
	}
	return cmd
}

// requireFlags names the flags that are missing.
func requireFlags(cmd *cobra.Command, names ...string) error {
	var missing []string
	for _, name := range names {
		if cmd.Flag(name).Value.String() == "" {
			missing = append(missing, "--"+name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return quality.Errorf(quality.KindInvalid, "required and missing: %s; see %s --help", strings.Join(missing, ", "), cmd.CommandPath())
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
