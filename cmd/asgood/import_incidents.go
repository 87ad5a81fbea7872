package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
)

func importIncidentsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "incidents --from statuspage|cstate|gatus FILE|DIR...", Args: cobra.MinimumNArgs(1),
		Short: "Bring in past incidents of another status page",
		Long: "Import incidents gives to a running server what another status page kept of\n" +
			"incidents that are over: incidents.json of Statuspage's API v2, the Markdown\n" +
			"files of cState, or the events of Gatus as /api/v1/endpoints/KEY/statuses\n" +
			"returns them. Nobody is notified. The same file again changes nothing. They\n" +
			"are internal until a person publishes them.",
		Example: "  curl -s https://status.acme.example/api/v2/incidents.json > old.json\n" +
			"  asgood import incidents --from statuspage old.json --map 'API=support-assistant' --dry-run",
	}
	o := app.IncidentImport{}
	path := configFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&o.From, "from", "", "statuspage, cstate or gatus")
	f.StringToStringVar(&o.Map, "map", nil, "component=feature, comma separated, where names and titles differ")
	f.StringVar(&o.Server, "server", "", "internal address of a running server; the default is the configuration's; $ASGOOD_KEY is sent as key")
	f.BoolVar(&o.Public, "public", false, "show them to customers; the server lets only a person do that")
	f.BoolVar(&o.DryRun, "dry-run", false, "say what would be imported and what is wrong; store nothing")
	asJSON := f.Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if o.Config, err = load(*path); err != nil {
			return err
		}
		o.Files, o.Key = args, os.Getenv(envKey)
		res, err := app.ImportIncidents(cmd.Context(), o)
		if err != nil {
			return err
		}
		return printIncidents(cmd, res, *asJSON)
	}
	return cmd
}

func printIncidents(cmd *cobra.Command, res app.IncidentImportResult, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(res)
	}
	for _, p := range res.Problems {
		fmt.Fprintln(cmd.ErrOrStderr(), "asgood:", p)
	}
	if res.Untold > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "asgood:", res.Untold, "more problems")
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d imported, %d were there already\n", res.Imported, res.Known)
	return err
}
