package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
)

func labelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "labels FILE...", Args: cobra.ArbitraryArgs,
		Short: "Bring in human labels of stored samples, from the same formats",
		Long: "Labels reads rows and makes of each a human label of a sample, by --map. The\n" +
			"fields of a label are sample and value, which are required, metric, by (who\n" +
			"gave it), label, explanation and feature. A server must run. Importing a file\n" +
			"twice counts nothing twice.",
		Example: "  asgood import labels marks.csv --feature support-assistant --metric faithful --map sample=id,value=mark,by=annotator,explanation=note",
	}
	o := app.LabelOptions{}
	path := configFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&o.Format, "format", "", "csv, ndjson or parquet; the default is told by the file's name or content")
	f.StringVar(&o.Delimiter, "delimiter", "", "what separates the cells of CSV, one character or the word tab; the default is a comma, in .tsv a tab")
	f.StringVar(&o.Map, "map", "sample=sample,value=value", "field=column, comma separated")
	f.StringVar(&o.Feature, "feature", "", "feature of every row that brings none")
	f.StringVar(&o.Metric, "metric", "", "metric of every row that brings none")
	f.StringVar(&o.By, "by", "", "who gave the labels of rows that do not say")
	f.StringVar(&o.Server, "server", "", "ingest address of a running server; the default is the configuration's; $ASGOOD_KEY is sent as key")
	f.BoolVar(&o.DryRun, "dry-run", false, "say what is wrong with the rows; send nothing")
	asJSON := f.Bool("json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		o.Files, o.Stdin, o.Key, o.Logger = args, cmd.InOrStdin(), os.Getenv(envKey), quiet(cmd)
		o.Note = func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "asgood:", text) }
		if o.Config, err = load(*path); err != nil {
			return err
		}
		result, err := app.ImportLabels(cmd.Context(), o)
		if err != nil {
			return err
		}
		if err := printImport(cmd.OutOrStdout(), result, o.DryRun, *asJSON); err != nil {
			return err
		}
		return refusedOf(result.Refused, result.Accepted)
	}
	return cmd
}
