package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
	"github.com/asgood-dev/asgood/internal/quality"
)

func importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "import FILE...", Args: cobra.ArbitraryArgs,
		Short: "Bring in samples from files that others made: CSV, NDJSON, Parquet",
		Long: "Import reads rows of CSV (with a header line), NDJSON or Parquet from files, or from standard input for -, and makes\n" +
			"samples of them by --map. NDJSON without --map is read as native samples. CSV and NDJSON may be compressed with gzip or zstd.\n" +
			"Rows that are wrong are refused and named; the others are taken. An import that was stopped goes on where it was when the\n" +
			"same command runs again, and importing a file twice stores nothing twice.\n" +
			"Exit status 0 when every row was taken or there already, 4 when some were refused, 2 when none could be taken.",
		Example: "  asgood import answers.csv --feature support-assistant \\\n" +
			"    --map 'time=timestamp,input=query,output=answer,reference=ref_answer,id={model}/{id}'\n" +
			"  asgood import logs/*.ndjson.gz --feature support-assistant --map 'input=request.messages,output=response.text,scores.thumbs=feedback.thumbs'\n" +
			"  asgood import answers.parquet --feature support-assistant --map output=answer --dry-run",
	}
	o := app.ImportOptions{}
	i := importFlags{}
	path := configFlag(cmd)
	f := cmd.Flags()
	f.StringVar(&i.csv, "csv", "", "CSV file, - for standard input; the same as FILE with --format csv")
	f.StringVar(&o.Format, "format", "", "csv, ndjson or parquet; the default is told by the file's name or content")
	f.StringVar(&o.Delimiter, "delimiter", "", "what separates the cells of CSV, one character or the word tab; the default is a comma, in .tsv a tab")
	f.StringVar(&o.Map, "map", "", "field=column, comma separated; a column may be a dotted path such as response.text, or a template such as {model}/{id}")
	f.StringVar(&o.Feature, "feature", "", "feature of every row that brings none")
	f.StringVar(&o.Customer, "customer", "", "customer of every row that brings none")
	f.StringVar(&o.TimeLayout, "time-layout", "", "Go layout of the time column, such as '01/02/2006, 15:04:05'; unambiguous forms need none")
	f.StringVar(&o.Server, "server", "", "ingest address of a running server; the default is the configuration's, and the data directory itself when none runs; $ASGOOD_KEY is sent as key")
	f.BoolVar(&o.Resume, "resume", true, "remember in FILE.asgood-import how far a file is read, and go on there; =false begins at its beginning")
	f.BoolVar(&o.DryRun, "dry-run", false, "show the first three samples and what is wrong with the rows; store nothing")
	f.StringVarP(&i.output, "output", "o", "", "write the samples as NDJSON to this file (- for standard output) instead of storing them")
	f.BoolVar(&i.json, "json", false, "print the result as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.Files = args
		if err := i.addCSV(&o); err != nil {
			return err
		}
		i.needsConfig = !o.DryRun || cmd.Flags().Changed("config")
		o.Key = os.Getenv(envKey)
		o.Stdin, o.Progress, o.Logger = cmd.InOrStdin(), importProgress(cmd), quiet(cmd)
		o.Note = func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "asgood:", text) }
		return runImport(cmd, &o, *path, i)
	}
	cmd.AddCommand(labelsCommand(), importIncidentsCommand())
	return cmd
}

// importFlags are the flags that are not options of the import itself.
type importFlags struct {
	csv, output string
	json        bool
	needsConfig bool
}

// addCSV takes the older way of naming the file.
func (i importFlags) addCSV(o *app.ImportOptions) error {
	switch {
	case i.csv == "" && len(o.Files) == 0:
		return quality.Errorf(quality.KindInvalid, "nothing to import: name a file, or - for standard input; see asgood import --help")
	case i.csv == "":
		return nil
	}
	if len(o.Files) > 0 || o.Format != "" && o.Format != "csv" {
		return quality.Errorf(quality.KindInvalid, "--csv names the only file and its format: leave it out beside FILE and --format")
	}
	o.Files, o.Format = []string{i.csv}, "csv"
	return nil
}

func runImport(cmd *cobra.Command, o *app.ImportOptions, path string, i importFlags) (err error) {
	report := cmd.OutOrStdout()
	switch i.output {
	case "":
		if _, statErr := os.Stat(path); i.needsConfig || statErr == nil {
			if o.Config, err = load(path); err != nil {
				return err
			}
		}
	case "-":
		o.Output, report = cmd.OutOrStdout(), cmd.ErrOrStderr()
	default:
		f, err := os.Create(i.output)
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
		if result.Rows > 0 {
			fmt.Fprintln(cmd.ErrOrStderr(), "asgood:", totals(result, o.DryRun), "before it was stopped")
		}
		return err
	}
	if err := printImport(report, result, o.DryRun, i.json); err != nil {
		return err
	}
	return refusedOf(result.Refused, result.Accepted+result.Duplicates)
}

// refusedOf says how an import ended whose result was printed: what was taken may be all, a part, or nothing.
func refusedOf(refused, taken int) error {
	switch {
	case refused == 0:
		return nil
	case taken == 0:
		return quality.Errorf(quality.KindInvalid, "no row could be taken")
	default:
		return errPartly
	}
}

func printImport(w io.Writer, result app.ImportResult, dryRun, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(result)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	for i := range result.Samples {
		if err := enc.Encode(&result.Samples[i]); err != nil {
			return err
		}
	}
	for _, r := range result.Rejected {
		fmt.Fprintf(w, "%s, %s: %s\n", r.File, r.Place(), r.Error)
	}
	if more := result.Refused - len(result.Rejected); more > 0 && len(result.Rejected) > 0 {
		fmt.Fprintf(w, "... and more: %d refused rows in all\n", result.Refused)
	}
	for _, kind := range slices.Sorted(maps.Keys(result.Errors)) {
		fmt.Fprintf(w, "%8d  %s\n", result.Errors[kind], kind)
	}
	fmt.Fprintln(w, totals(result, dryRun))
	return nil
}

func totals(r app.ImportResult, dryRun bool) string {
	if dryRun {
		return fmt.Sprintf("%s: %d would be taken, %d refused; nothing was stored", plural(r.Rows, "row"), r.Accepted, r.Refused)
	}
	return fmt.Sprintf("%s: %d taken, %d already there, %d refused", plural(r.Rows, "row"), r.Accepted, r.Duplicates, r.Refused)
}
