package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// envKey names the environment variable that holds the key for commands that send. A flag would show it to
// everybody who lists processes.
const envKey = "ASGOOD_KEY"

func keyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "key", Short: "Make, list and revoke the keys of those who send", Args: knownCommand, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(keyCreateCommand(), keyListCommand(), keyRevokeCommand())
	return cmd
}

// oneArg wants one argument, and names it when it is missing.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return quality.Errorf(quality.KindInvalid, "want the %s; see %s --help", what, cmd.CommandPath())
	}
}

// keyFlags are the flags of every key command.
type keyFlags struct {
	path   *string
	server string
	asJSON bool
}

func addKeyFlags(cmd *cobra.Command) *keyFlags {
	k := &keyFlags{path: configFlag(cmd)}
	f := cmd.Flags()
	f.StringVar(&k.server, "server", "", "internal address of a running server; the default is the configuration's, and the data directory itself when none runs")
	f.BoolVar(&k.asJSON, "json", false, "print the result as JSON")
	return k
}

func (k *keyFlags) options(cmd *cobra.Command) (app.KeyOptions, error) {
	cfg, err := load(*k.path)
	return app.KeyOptions{Config: cfg, Server: k.server, Logger: quiet(cmd)}, err
}

// keyLimits are the limits of a key as they are written.
type keyLimits struct{ expires, rate, bytes, body string }

func keyCreateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "create", Args: noArgs,
		Short: "Make a key and print it; it is shown this once",
		Example: "  asgood key create --name support-bot --scope samples,traces --feature support-assistant --expires 90d --rate 500/s\n" +
			"  asgood key create --name deploys --scope changes --json",
	}
	var spec app.KeySpec
	var scopes []string
	var limits keyLimits
	flags := addKeyFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&spec.Name, "name", "", "of the source that sends with it (required)")
	f.StringSliceVar(&scopes, "scope", nil, "what it may send: samples, scores, traces, changes, heartbeats; comma separated (required)")
	f.StringSliceVar(&spec.Features, "feature", nil, "feature that it may send for, may be given several times; the default is every feature")
	f.StringVar(&limits.expires, "expires", "", "when it ends: after a time such as 90d, or at one such as 2027-01-01T00:00:00Z; the default is never")
	f.StringVar(&limits.rate, "rate", "", "records that it may send, such as 500/s; the default is no limit")
	f.StringVar(&limits.bytes, "bytes", "", "bytes that it may send, such as 10MiB/s; the default is no limit")
	f.StringVar(&limits.body, "max-body", "", "largest body that it may send, such as 1MiB; the default is the listener's limit")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, s := range scopes {
			spec.Scopes = append(spec.Scopes, app.KeyScope(s))
		}
		if err := limits.read(&spec, time.Now()); err != nil {
			return err
		}
		o, err := flags.options(cmd)
		if err != nil {
			return err
		}
		created, err := app.CreateKey(cmd.Context(), o, spec)
		if err != nil {
			return err
		}
		return printCreated(cmd.OutOrStdout(), cmd.ErrOrStderr(), created, flags.asJSON)
	}
	return cmd
}

func (l keyLimits) read(spec *app.KeySpec, now time.Time) (err error) {
	if spec.Expires, err = parseExpires(l.expires, now); err != nil {
		return err
	}
	if l.rate != "" {
		rate, err := config.ParseRate(l.rate)
		if err != nil {
			return quality.Errorf(quality.KindInvalid, "--rate %q: want a number for each second, minute or hour such as 500/s", l.rate)
		}
		spec.Rate = float64(rate)
	}
	if l.bytes != "" {
		amount, ok := strings.CutSuffix(l.bytes, "/s")
		n, err := config.ParseBytes(amount)
		if err != nil || !ok {
			return quality.Errorf(quality.KindInvalid, "--bytes %q: want an amount for each second such as 10MiB/s", l.bytes)
		}
		spec.Bytes = int64(n)
	}
	if l.body != "" {
		n, err := config.ParseBytes(l.body)
		if err != nil {
			return quality.Errorf(quality.KindInvalid, "--max-body %q: want an amount such as 1MiB", l.body)
		}
		spec.MaxBody = int64(n)
	}
	return nil
}

func parseExpires(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := config.ParseDuration(s); err == nil {
		return now.Add(d), nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return at, quality.Errorf(quality.KindInvalid, "--expires %q: want a time from now such as 90d, or a time such as 2027-01-01T00:00:00Z", s)
	}
	return at, nil
}

// printCreated prints the key alone to where a script reads it.
func printCreated(out, notes io.Writer, created app.CreatedKey, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(created)
	}
	fmt.Fprintln(out, created.Token)
	fmt.Fprintf(notes, "key %s of %s; it is not kept and cannot be shown again\n", created.ID, created.Name)
	return nil
}

func keyListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Args: noArgs, Short: "List keys, the newest first"}
	flags := addKeyFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o, err := flags.options(cmd)
		if err != nil {
			return err
		}
		keys, err := app.ListKeys(cmd.Context(), o)
		if err != nil {
			return err
		}
		if flags.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"keys": keys})
		}
		return printKeys(cmd.OutOrStdout(), keys, time.Now())
	}
	return cmd
}

func printKeys(w io.Writer, keys []app.Key, now time.Time) error {
	if len(keys) == 0 {
		fmt.Fprintln(w, "no keys")
		return nil
	}
	t := newTable(w)
	fmt.Fprintln(t, "id\tname\tstate\tscopes\tfeatures\tcreated\texpires\tlast used")
	for _, k := range keys {
		scopes := make([]string, len(k.Scopes))
		for i, s := range k.Scopes {
			scopes[i] = string(s)
		}
		features := strings.Join(k.Features, ",")
		if features == "" {
			features = "all"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, k.State(now), strings.Join(scopes, ","), features,
			shortTime(k.Created), shortTime(k.Expires), shortTime(k.LastUsed))
	}
	return t.Flush()
}

// shortTime writes a time in UTC, as the Z says.
func shortTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

func keyRevokeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "revoke ID", Args: oneArg("ID of a key; asgood key list shows it"), Short: "End a key at once and for good",
		Long: "Revoke ends a key at once and for good. It wants the key's id, the first\n" +
			"column of asgood key list, and neither its name nor the key itself.",
		Example: "  asgood key revoke k3f7a2c6mq"}
	flags := addKeyFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o, err := flags.options(cmd)
		if err != nil {
			return err
		}
		key, err := app.RevokeKey(cmd.Context(), o, args[0])
		if err != nil {
			return err
		}
		if flags.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(key)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "revoked %s (%s)\n", key.ID, key.Name)
		return nil
	}
	return cmd
}
