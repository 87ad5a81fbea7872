package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
)

func exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "export --to DIR", Short: "Write the status page as files for any web server or bucket", Args: noArgs,
		Long: "Export writes all that the status page shows to everyone, pages, API, feeds and\n" +
			"badges, as files: as a running server shows it, or of the stored data when none\n" +
			"runs. The folder is replaced as a whole; one that holds anything else is left\n" +
			"alone.",
		Example: "  asgood export --to /srv/status && rsync -a --delete /srv/status/ web:/srv/status/",
	}
	o := app.ExportOptions{}
	path := configFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&o.Dir, "to", "", "folder to write to")
	f.StringVar(&o.Server, "server", "", "internal address of a running server; the default is the configuration's; $ASGOOD_KEY is sent as key")
	asJSON := f.Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) (err error) {
		if err := requireFlags(cmd, "to"); err != nil {
			return err
		}
		if o.Config, err = load(*path); err != nil {
			return err
		}
		shown := progress(cmd)
		o.Key, o.Logger, o.Progress = os.Getenv(envKey), quiet(cmd), func(n int) { shown.show("%d files", n) }
		res, err := app.Export(cmd.Context(), o)
		shown.end()
		if err != nil {
			return err
		}
		if *asJSON {
			return json.NewEncoder(cmd.OutOrStdout()).Encode(res)
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d files, %.1f MB, in %s\n", res.Files, float64(res.Bytes)/1e6, res.Folder)
		return err
	}
	return cmd
}
