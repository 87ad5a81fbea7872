package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

func importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "import", Args: noArgs,
		Short: "Bring in samples from a file that others made",
		Example: "  asgood import --csv answers.csv --feature support-assistant \\\n" +
			"    --map 'time=timestamp,input=query,output=answer,reference=ref_answer,id={model}/{id}'\n" +
			"  asgood import --csv answers.csv --feature support-assistant --map output=answer -o samples.ndjson",
	}
	o := app.ImportOptions{}
	var file, mapping, output string
	var asJSON bool
	path := configFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&file, "csv", "", "CSV file with a header line, - for standard input (required)")
	f.StringVar(&mapping, "map", "", "field=column, comma separated; a column may be a template such as {model}/{id} (required)")
	f.StringVar(&o.Feature, "feature", "", "feature of every row, unless the mapping has one")
	f.StringVar(&o.TimeLayout, "time-layout", "", "Go layout of the time column, such as '01/02/2006, 15:04:05'; unambiguous forms need none")
	f.StringVar(&o.Server, "server", "", "ingest address of a running server; the default is the configuration's, and the data directory itself when none runs")
	f.StringVarP(&output, "output", "o", "", "write the samples as NDJSON to this file (- for standard output) instead of storing them")
	f.BoolVar(&asJSON, "json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := requireFlags(cmd, "csv", "map"); err != nil {
			return err
		}
		in, err := open(cmd, file)
		if err != nil {
			return err
		}
		defer in.Close()
		o.Input, o.Map, o.Progress, o.Logger = in, mapping, progress(cmd, "rows"), quiet(cmd)
		return runImport(cmd, &o, *path, output, asJSON)
	}
	return cmd
}

func runImport(cmd *cobra.Command, o *app.ImportOptions, path, output string, asJSON bool) (err error) {
	report := cmd.OutOrStdout()
	switch output {
	case "":
		if o.Config, err = load(path); err != nil {
			return err
		}
	case "-":
		o.Output, report = cmd.OutOrStdout(), cmd.ErrOrStderr()
	default:
		f, err := os.Create(output)
		if err != nil {
			return fmt.Errorf("writing samples: %w", err)
		}
		defer func() {
			if closeErr := f.Close(); err == nil {
				err = closeErr
			}
		}()
		o.Output = f
	}
	result, err := app.Import(cmd.Context(), *o)
	if err != nil {
		return err
	}
	return printImport(report, result, asJSON)
}

func printImport(w io.Writer, result app.ImportResult, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(w).Encode(result); err != nil {
			return err
		}
	} else {
		for _, r := range result.Rejected {
			fmt.Fprintf(w, "line %d: %s\n", r.Line, r.Error)
		}
		fmt.Fprintf(w, "%d rows: %d taken, %d already there, %d refused\n", result.Rows, result.Accepted, result.Duplicates, result.Refused)
	}
	if result.Refused > 0 && result.Accepted+result.Duplicates == 0 {
		return quality.Errorf(quality.KindInvalid, "no row could be taken")
	}
	return nil
}
