package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

func personCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "person", Short: "Let people in, list and remove them", Args: knownCommand, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(personLinkCommand(), personListCommand(), personRemoveCommand())
	return cmd
}

func personLinkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "link", Args: noArgs,
		Short: "Make a link that signs a person in, once",
		Long: "Link asks the running server for a link that signs in whoever opens it\n" +
			"first, within a quarter of an hour. It is the way in where no sign-in\n" +
			"service is configured, and the way back in when it is away. A person that\n" +
			"there is already has the role from then on.",
		Example: "  asgood person link --name \"Ada Lovelace\" --role admin",
	}
	var name, role string
	flags := addKeyFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "of the person (required)")
	f.StringVar(&role, "role", "", "what they may do: "+quality.RoleNames()+" (required)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := requireFlags(cmd, "name", "role"); err != nil {
			return err
		}
		r, ok := quality.ParseRole(role)
		if !ok {
			return quality.Errorf(quality.KindInvalid, "--role %q: want one of %s", role, quality.RoleNames())
		}
		o, err := flags.options(cmd)
		if err != nil {
			return err
		}
		l, err := app.MakeSignInLink(cmd.Context(), o, name, r)
		if err != nil {
			return err
		}
		if flags.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(l)
		}
		fmt.Fprintln(cmd.OutOrStdout(), l.URL)
		fmt.Fprintf(cmd.ErrOrStderr(), "signs in %s with role %s, once, until %s UTC\n", l.Name, l.Role, shortTime(l.Expires))
		return nil
	}
	return cmd
}

func personListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Args: noArgs, Short: "List everybody who signed in at least once"}
	flags := addKeyFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o, err := flags.options(cmd)
		if err != nil {
			return err
		}
		people, err := app.ListPeople(cmd.Context(), o)
		if err != nil {
			return err
		}
		if flags.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"people": people})
		}
		return printPeople(cmd.OutOrStdout(), people)
	}
	return cmd
}

func printPeople(w io.Writer, people []app.Account) error {
	if len(people) == 0 {
		fmt.Fprintln(w, "nobody has signed in yet")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "id\tname\trole\tlast sign-in")
	for _, p := range people {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.ID, p.Name, p.Role, shortTime(p.LastSignIn))
	}
	return t.Flush()
}

func personRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "remove ID", Args: oneArg("ID of a person; asgood person list shows it"), Short: "End the sessions of a person and forget them",
		Long: "Remove ends the sessions of a person at once and forgets the account. Who\n" +
			"comes from a sign-in service may come again while that lets them.",
		Example: "  asgood person remove \"local:ada lovelace\""}
	flags := addKeyFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o, err := flags.options(cmd)
		if err != nil {
			return err
		}
		gone, err := app.RemovePerson(cmd.Context(), o, args[0])
		if err != nil {
			return err
		}
		if flags.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(gone)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "removed %s (%s)\n", gone.ID, gone.Name)
		return nil
	}
	return cmd
}
