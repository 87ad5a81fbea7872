package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
)

func customerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "customer", Short: "Make, list and take back links to the pages of customers", Args: knownCommand, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(customerLinkCommand(), customerListCommand(), customerRevokeCommand())
	return cmd
}

func customerLinkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "link", Args: noArgs,
		Short: "Make a link to the page of a customer",
		Long: "Link asks the running server for a link to the page on which a customer sees\n" +
			"their own traffic: their quality against their own baseline and against\n" +
			"everyone's, and their incidents. Whoever has the link can read the page,\n" +
			"until the link expires or is taken back.",
		Example: "  asgood customer link --customer acme --expires 30d",
	}
	var customer, expires string
	flags := addKeyFlags(cmd)
	cmd.Flags().StringVar(&customer, "customer", "", "as samples name it (required)")
	cmd.Flags().StringVar(&expires, "expires", "30d", "how long the link works, at most 400d")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := requireFlags(cmd, "customer"); err != nil {
			return err
		}
		o, err := flags.options(cmd)
		if err != nil {
			return err
		}
		l, err := app.MakeCustomerLink(cmd.Context(), o, customer, expires)
		if err != nil {
			return err
		}
		if flags.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(l)
		}
		fmt.Fprintln(cmd.OutOrStdout(), l.URL)
		fmt.Fprintf(cmd.ErrOrStderr(), "shows %s their own traffic until %s UTC; asgood customer revoke --customer %q %s takes it back\n", l.Customer, shortTime(l.Expires), l.Customer, l.ID)
		return nil
	}
	return cmd
}

func customerListCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Args: noArgs, Short: "List the links to the page of a customer"}
	var customer string
	flags := addKeyFlags(cmd)
	cmd.Flags().StringVar(&customer, "customer", "", "as samples name it (required)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := requireFlags(cmd, "customer"); err != nil {
			return err
		}
		o, err := flags.options(cmd)
		if err != nil {
			return err
		}
		list, err := app.ListCustomerLinks(cmd.Context(), o, customer)
		if err != nil {
			return err
		}
		if flags.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(app.CustomerLinks{Links: list})
		}
		return printCustomerLinks(cmd.OutOrStdout(), list)
	}
	return cmd
}

func printCustomerLinks(w io.Writer, list []app.CustomerLink) error {
	if len(list) == 0 {
		fmt.Fprintln(w, "there are no links")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "id\tstate\texpires\tuses\tlast used")
	for _, l := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\n", l.ID, l.State, shortTime(l.Expires), l.Uses, shortTime(l.LastUsed))
	}
	return t.Flush()
}

func customerRevokeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "revoke ID", Args: oneArg("ID of a link; asgood customer list shows it"), Short: "Take back a link to the page of a customer",
		Example: "  asgood customer revoke --customer acme 3k5m9q2x7w"}
	var customer string
	flags := addKeyFlags(cmd)
	cmd.Flags().StringVar(&customer, "customer", "", "as samples name it (required)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := requireFlags(cmd, "customer"); err != nil {
			return err
		}
		o, err := flags.options(cmd)
		if err != nil {
			return err
		}
		l, err := app.RevokeCustomerLink(cmd.Context(), o, customer, args[0])
		if err != nil {
			return err
		}
		if flags.asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(l)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "took back %s of %s\n", l.ID, l.Customer)
		return nil
	}
	return cmd
}
