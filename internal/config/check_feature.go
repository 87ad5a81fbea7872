package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

func (d *decoder) checkFeatures(fs []quality.Feature) {
	seen := map[string]int{}
	beats, canaries := map[string]string{}, map[string]string{}
	matches := map[string]int{}
	for i := range fs {
		path := fmt.Sprintf("features[%d]", i)
		d.name("features", i, fs[i].Name, identifier, seen)
		d.checkDescription(fs[i].Description, path+".description")
		d.checkMatch(fs[i].Match, i, path+".match", matches)
		d.checkRedact(fs[i].Redact, path+".redact")
		d.checkSpans(&fs[i], path)
		d.checkScorers(fs[i].Scorers, path+".scorers")
		d.checkConversation(fs[i].Conversation, path+".conversation")
		d.checkAdvice(fs[i].Advice, path+".advice")
		d.checkMonitors(fs[i], path+".monitors")
		d.checkSampling(fs[i].Sampling, path+".sampling")
		d.checkProbes(fs[i].Probes, path+".probes", beats)
		d.checkCanaries(fs[i].Canaries, path+".canaries", canaries)
	}
}

// checkMatch checks the match of feature i. seen holds the first feature that has a match.
func (d *decoder) checkMatch(match map[string]string, i int, path string, seen map[string]int) {
	keys := slices.Sorted(maps.Keys(match))
	var whole strings.Builder
	for _, k := range keys {
		if k == "" || match[k] == "" && !d.failed(join(path, k)) {
			d.bad(join(path, k), "an attribute and its value must not be empty")
		}
		fmt.Fprintf(&whole, "%q=%q,", k, match[k])
	}
	if first, ok := seen[whole.String()]; ok {
		d.bad(path, "the same as of features[%d]: one span cannot be a sample of both", first)
	} else if len(keys) > 0 {
		seen[whole.String()] = i
	}
}

// metric is one that a scorer makes, and where its name stands.
type metric struct {
	name   string
	scorer int
	path   string
}

// takesAll reports whether a scorer takes every metric that comes with the samples.
func takesAll(s quality.ScorerSpec) bool { return s.Type == "external" && len(s.Metrics) == 0 }

// several are the types of scorers whose answer may hold scores of more than one metric: NAME and NAME.PART.
func several() []string {
	return []string{quality.ScorerHTTP, quality.ScorerCommand, quality.ScorerWasm}
}

// makes reports whether one of the metrics has the name, or is that of a scorer that may make it beside its own.
func makes(known []metric, scorers []quality.ScorerSpec, name string) bool {
	return slices.ContainsFunc(known, func(m metric) bool {
		if m.name == name {
			return true
		}
		part, ok := strings.CutPrefix(name, m.name+".")
		return ok && part != "" && len(name) <= quality.MaxNameLen && slices.Contains(several(), scorers[m.scorer].Type)
	})
}

// metrics returns the metrics that the scorers at path make, and whether any other may come with the samples.
func metrics(scorers []quality.ScorerSpec, path string) (known []metric, open bool) {
	for i, s := range scorers {
		p := fmt.Sprintf("%s[%d]", path, i)
		if takesAll(s) {
			open = true
			continue
		}
		if s.Type != "external" {
			known = append(known, metric{s.Name, i, p + ".name"})
			continue
		}
		for j, name := range s.Metrics {
			known = append(known, metric{name, i, fmt.Sprintf("%s.metrics[%d]", p, j)})
		}
	}
	return known, open
}

func (d *decoder) checkMonitors(f quality.Feature, path string) {
	if len(f.Monitors) > 0 && len(f.Scorers) == 0 {
		if !d.failed(strings.TrimSuffix(path, "monitors") + "scorers") {
			d.bad(path, "the feature has no scorers, so there is nothing to watch (scores that come with the samples need a scorer of type external)")
		}
		return
	}
	known, open := metrics(f.Scorers, strings.TrimSuffix(path, "monitors")+"scorers")
	seen := map[string]int{}
	for i := range f.Monitors {
		p := fmt.Sprintf("%s[%d]", path, i)
		d.checkMetric(f.Monitors[i].Metric, p+".metric", known, open || makes(known, f.Scorers, f.Monitors[i].Metric))
		if m := f.Monitors[i].Metric; m != "" {
			if first, ok := seen[m]; ok {
				d.bad(p+".metric", "monitors[%d] watches it already (one monitor for each metric; use slices to look closer)", first)
			}
			seen[m] = i
		}
		isUnbounded := func(s quality.ScorerSpec) bool { return s.Name == f.Monitors[i].Metric && unbounded(s) }
		unbounded := f.Monitors[i].Unbounded || slices.ContainsFunc(f.Scorers, isUnbounded)
		d.checkMonitor(&f.Monitors[i], unbounded, p)
		d.checkMaterial(f.Monitors[i], f.Scorers, unbounded, p)
	}
}

func (d *decoder) checkMetric(name, path string, known []metric, open bool) {
	switch {
	case d.failed(path):
	case name == "":
		d.bad(path, "required")
	case !open && !slices.ContainsFunc(known, func(m metric) bool { return m.name == name }):
		var names []string
		for _, m := range known {
			names = append(names, d.written(m.path, m.name))
		}
		d.bad(path, "no scorer of this feature makes it (known: %s)", strings.Join(names, ", "))
	}
}

func (d *decoder) checkMonitor(m *quality.MonitorSpec, unbounded bool, path string) {
	if m.Worse != "" && m.Worse != quality.WorseLower && m.Worse != quality.WorseHigher {
		d.bad(path+".worse", "want lower or higher")
	}
	if m.Season != "" && m.Season != "hour" {
		d.bad(path+".season", "want hour: no other season is known")
	}
	if d.has(path+".max_slices") && m.MaxSlices < 1 && !d.failed(path+".max_slices") {
		d.bad(path+".max_slices", "want 1 or more")
	}
	d.checkRange(m, path)
	d.checkAttributes(m.Slices, path+".slices")
	d.checkAttributes(m.Adjust, path+".adjust")
	d.checkAdjust(m.Adjust, path+".adjust")
	d.checkBaseline(m.Baseline, path+".baseline")
	d.checkObjective(m.Objective, unbounded, path+".objective")
	d.checkLastGood(m.Baseline.LastGood, path+".baseline.last_good")
	if m.FalseAlarms != nil {
		d.checkFalseAlarms(*m.FalseAlarms, path+".false_alarms")
	}
}

func (d *decoder) checkRange(m *quality.MonitorSpec, path string) {
	if m.Range != nil && !d.failed(path+".range") {
		switch lo, hi := m.Range[0], m.Range[1]; {
		case m.Unbounded:
			d.bad(path+".range", "a metric that is unbounded has no range")
		case lo >= hi:
			d.bad(path+".range", "want the lower bound first, then the upper: got [%s, %s]",
				d.written(path+".range[0]", fmt.Sprint(lo)), d.written(path+".range[1]", fmt.Sprint(hi)))
		}
	}
}

// checkMaterial compares with the range that the monitor has in the end: its own, or that of its scorer.
func (d *decoder) checkMaterial(m quality.MonitorSpec, scorers []quality.ScorerSpec, unbounded bool, path string) {
	if m.Material == nil || d.failed(path+".material") || d.failed(path+".range") {
		return
	}
	completeRange(&m, scorers)
	width := math.Inf(1)
	switch {
	case m.Range != nil:
		width = math.Abs(m.Range[1] - m.Range[0])
	case !unbounded:
		width = 1
	}
	if *m.Material <= 0 || *m.Material >= width {
		d.bad(path+".material", "want more than 0 and less than the width of the range")
	}
}

// checkAttributes checks names of attributes. "=" and "," part the text of a slice.
func (d *decoder) checkAttributes(names []string, path string) {
	seen := map[string]bool{}
	for i, name := range names {
		p := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case d.failed(p):
		case name == "" || len(name) > quality.MaxNameLen || strings.ContainsAny(name, "=, \t\r\n"):
			d.bad(p, "want the name of an attribute, such as customer, model or language")
		case seen[name]:
			d.bad(p, "stands twice")
		}
		seen[name] = true
	}
}

func (d *decoder) checkAdjust(names []string, path string) {
	for i, name := range names {
		if quality.ChosenByProduct(name) {
			d.bad(fmt.Sprintf("%s[%d]", path, i), "the product chooses it, so a silent change would hide in its own new stratum; "+
				"adjust takes what callers bring, such as language or customer (to watch it, put it into slices)")
		}
	}
}

func (d *decoder) checkBaseline(b quality.BaselineSpec, path string) {
	if d.failed(path) {
		return
	}
	var forms []string
	for _, form := range []string{"first", "window", "pinned"} {
		if d.has(path + "." + form) {
			forms = append(forms, form)
		}
	}
	switch {
	case len(forms) == 0:
		d.bad(path, "required: one of {first: N}, {window: 7d}, {window: {from: TIME, to: TIME}} or {pinned: NAME}")
	case len(forms) > 1:
		d.bad(path, "has %s: want exactly one of first, window and pinned", strings.Join(forms, " and "))
	case forms[0] == "first" && b.First < quality.MinBaseline:
		d.bad(path+".first", "want %d or more: fewer scores say too little", quality.MinBaseline)
	case forms[0] == "first" && b.First > quality.MaxBaseline:
		d.bad(path+".first", "want %d or less: more scores are not held", quality.MaxBaseline)
	case forms[0] == "pinned" && !identifier.MatchString(b.Pinned):
		d.bad(path+".pinned", "want the name of a baseline")
	case forms[0] == "window":
		d.checkWindow(b.Window, path+".window")
	}
}

func (d *decoder) checkWindow(w *quality.BaselineWindow, path string) {
	switch {
	case w == nil || w.Last == 0 && (w.From.IsZero() || w.To.IsZero()):
		d.bad(path, "want a duration such as 7d, or both from and to")
	case w.Last != 0 && w.Last < time.Minute:
		d.bad(path, "want a minute or more")
	case w.Last == 0 && !w.From.Before(w.To):
		d.bad(path, "from must be before to")
	}
}
