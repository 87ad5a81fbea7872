package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/alerts/past"
	"github.com/asgood-dev/asgood/internal/config"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of an import of incidents.
const (
	maxPastFiles = 10_000
	maxPastBytes = 8 << 20 // of the files of one request, before they are encoded
)

// IncidentImport says which past incidents are imported, and into which server.
type IncidentImport struct {
	Config *config.Config
	Server string // internal address of a server; empty means the configuration's
	Key    string
	From   string            // statuspage, cstate or gatus
	Files  []string          // files and folders
	Map    map[string]string // component to feature
	Public bool              // customers see them; only a person may want that
	DryRun bool
}

// IncidentImportResult is what came of it.
type IncidentImportResult struct {
	Imported int            `json:"imported"`
	Known    int            `json:"known"` // were there already
	Problems []past.Problem `json:"problems"`
	Untold   int            `json:"problems_untold"` // beyond those that are listed
}

type pastFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// ImportIncidents gives files of other status pages to a running server. The same again changes nothing.
func ImportIncidents(ctx context.Context, o IncidentImport) (res IncidentImportResult, err error) {
	if !slices.Contains(past.Sources(), o.From) {
		return res, quality.Errorf(quality.KindInvalid, "--from: want one of %s", strings.Join(past.Sources(), ", "))
	}
	addr, ok := running(ctx, o.Server, o.Config.Listen.Internal)
	if !ok {
		return res, quality.Errorf(quality.KindUnavailable, "no server answers at %s: start it, or name one by --server", o.Config.Listen.Internal)
	}
	names, err := pastFiles(o.From, o.Files)
	if err != nil {
		return res, err
	}
	var batch []pastFile
	size := 0
	send := func() error {
		defer func() { batch, size = nil, 0 }()
		return o.send(ctx, addr, batch, &res)
	}
	for _, name := range names {
		f, err := readPast(name)
		if err != nil {
			return res, err
		}
		if size+len(f.Text) > maxPastBytes && len(batch) > 0 {
			if err := send(); err != nil {
				return res, err
			}
		}
		batch, size = append(batch, f), size+len(f.Text)
	}
	return res, send()
}

func (o IncidentImport) send(ctx context.Context, addr string, files []pastFile, res *IncidentImportResult) error {
	visibility := quality.VisibilityInternal
	if o.Public {
		visibility = quality.VisibilityPublic
	}
	body, err := json.Marshal(map[string]any{"from": o.From, "files": files, "map": o.Map, "visibility": visibility, "dry_run": o.DryRun})
	if err != nil {
		return fmt.Errorf("encoding files: %w", err)
	}
	var got IncidentImportResult
	if err := ask(ctx, http.MethodPost, addr+"/v1/incidents/import", o.Key, body, &got); err != nil {
		return err
	}
	res.Imported, res.Known, res.Untold = res.Imported+got.Imported, res.Known+got.Known, res.Untold+got.Untold
	res.Problems = append(res.Problems, got.Problems...)
	return nil
}

// pastFiles lists the files, and those of folders that the source has.
func pastFiles(from string, paths []string) (names []string, err error) {
	ends := ".json"
	if from == past.CState {
		ends = ".md"
	}
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			// A file that was named is taken whatever its name.
			if err == nil && !e.IsDir() && (path == root || strings.HasSuffix(path, ends) && !strings.HasPrefix(e.Name(), "_")) {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			return nil, quality.Errorf(quality.KindInvalid, "reading %q: %w", root, err)
		}
	}
	if len(names) == 0 || len(names) > maxPastFiles {
		return nil, quality.Errorf(quality.KindInvalid, "%d files ending in %s, want 1 to %d", len(names), ends, maxPastFiles)
	}
	return names, nil
}

// readPast reads a file. It is known by its name without its folders, so that it is the same from wherever it is read.
func readPast(name string) (pastFile, error) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > past.MaxFile {
		return pastFile{}, quality.Errorf(quality.KindTooLarge, "%s: %d bytes, at most %d", name, info.Size(), past.MaxFile)
	}
	if err != nil {
		return pastFile{}, quality.Errorf(quality.KindInvalid, "reading %q: %w", name, err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return pastFile{}, quality.Errorf(quality.KindInvalid, "reading %q: %w", name, err)
	}
	return pastFile{Name: filepath.Base(name), Text: string(data)}, nil
}
