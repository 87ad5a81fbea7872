package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Bounds of anchors.
const (
	minAnchorEvery = time.Minute
	maxAnchorEvery = 90 * 24 * time.Hour
	maxAnchorCalls = 2000 // scores of one run
)

// checkCalibration checks what a judge is measured by.
func (d *decoder) checkCalibration(s *quality.ScorerSpec, path string) {
	if d.has(path+".human") && !d.failed(path+".human") {
		if s.Human == "" || len(s.Human) > quality.MaxNameLen || strings.ContainsAny(s.Human, "=, \t\r\n") {
			d.bad(path+".human", "want the name of a metric, such as correct_human")
		}
		if s.Type == "external" && len(s.Metrics) != 1 {
			d.bad(path+".human", "wants a scorer of one metric: say which in metrics")
		}
	}
	if s.Anchors != nil && s.Type == "judge" {
		d.checkAnchors(s.Anchors, path+".anchors")
	}
}

func (d *decoder) checkAnchors(a *quality.AnchorSpec, path string) {
	d.checkSpan(path+".every", a.Every, minAnchorEvery, maxAnchorEvery)
	if d.has(path+".every") && !d.failed(path+".every") && a.Every%time.Second != 0 {
		d.bad(path+".every", "want whole seconds")
	}
	d.checkCount(path+".repeat", a.Repeat, 1, quality.MaxAnchorRepeat)
	d.checkQuota(a.Budget, path+".budget")
	d.loadAnchors(a, path+".file")
	if len(a.Anchors) == 0 || d.failed(path) {
		return
	}
	full := a.WithDefaults()
	calls := full.Calls()
	if calls > maxAnchorCalls {
		d.bad(path, "%d anchors, each %d times, are %d scores in a run, at most %d", len(a.Anchors), full.Repeat, calls, maxAnchorCalls)
	}
	if runs := max(1, int(math.Ceil(float64(a.Budget.Per)/float64(full.Every)))); !a.Budget.IsZero() && calls*runs > a.Budget.N {
		d.bad(path+".budget", "want %d or more: it must hold %d runs of %d scores", calls*runs, runs, calls)
	}
}

// loadAnchors reads the anchors from beside the configuration.
func (d *decoder) loadAnchors(a *quality.AnchorSpec, path string) {
	if d.failed(path) {
		return
	}
	if a.File == "" {
		d.bad(path, "required: the file of the anchors")
		return
	}
	data, err := readSmall(beside(filepath.Dir(d.file), a.File))
	if err != nil {
		// The library's words repeat the path, and a variable may have given it.
		if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		d.bad(path, "reading the anchors beside the configuration: %v", err)
		return
	}
	anchors, err := ParseAnchors(data)
	if err != nil {
		d.bad(path, "%s", clipTo(err.Error(), 300))
		return
	}
	a.Anchors = anchors
}

// anchorLine is a line of a file of anchors: a sample, and the mark that people gave it.
type anchorLine struct {
	quality.Sample
	Human *float64 `json:"human"`
}

// ParseAnchors reads anchors, one JSON object a line: the fields of a native sample, and human, the mark that
// people gave it. A line without an id has its number as id. The error names the line.
func ParseAnchors(data []byte) (out []quality.Anchor, err error) {
	lines := map[string]int{} // by id
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for i, line := range bytes.Split(data, []byte("\n")) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		a, err := parseAnchor(line, i+1)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if first, known := lines[a.Sample.ID]; known {
			return nil, fmt.Errorf("line %d: the same id as in line %d", i+1, first)
		}
		lines[a.Sample.ID] = i + 1
		out = append(out, a)
	}
	if n := len(out); n < quality.MinAnchors || n > quality.MaxAnchors {
		return nil, fmt.Errorf("%d anchors, want %d to %d", n, quality.MinAnchors, quality.MaxAnchors)
	}
	return out, nil
}

func parseAnchor(line []byte, number int) (quality.Anchor, error) {
	var a anchorLine
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		return quality.Anchor{}, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return quality.Anchor{}, errors.New("want one JSON object")
	}
	if a.ID == "" {
		a.ID = strconv.Itoa(number)
	}
	check := a.Sample
	check.Feature = "anchors" // that of the judge, whatever the line says
	return quality.Anchor{Sample: a.Sample, Human: a.Human}, check.Validate()
}
