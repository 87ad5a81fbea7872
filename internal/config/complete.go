package config

import (
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// Defaults of what a file may leave out in lists.
const (
	defaultMaxSlices = 50

	defaultExplainBefore = 2 * time.Hour
	defaultExplainAfter  = 30 * time.Minute
)

// complete fills in what the checked file left out, so that no reader needs to know the defaults.
func (c *Config) complete(dir string, location *time.Location) {
	c.location, c.dir = location, dir
	c.Storage.Dir = beside(dir, c.Storage.Dir)
	c.Storage.Library = beside(dir, c.Storage.Library)
	if c.StatusPage.Title == "" {
		c.StatusPage.Title = c.Name + " status"
	}
	if c.StatusPage.URL == "" {
		c.StatusPage.URL = localURL(c.Listen.Public)
	}
	c.StatusPage.URL = strings.TrimRight(c.StatusPage.URL, "/")
	if c.StatusPage.Publish == nil { // an empty list is not nil: it says that only people publish
		c.StatusPage.Publish = defaultPublish()
	}
	c.Auth.URL = strings.TrimRight(c.Auth.URL, "/")
	if c.Auth.OIDC != nil {
		c.Auth.OIDC.GroupsClaim = or(c.Auth.OIDC.GroupsClaim, "groups")
	}
	c.StatusPage.Export = beside(dir, c.StatusPage.Export)
	for i := range c.StatusPage.Groups {
		c.StatusPage.Groups[i].Title = or(c.StatusPage.Groups[i].Title, c.StatusPage.Groups[i].Name)
	}
	for i := range c.Features {
		completeFeature(&c.Features[i])
	}
	completeChanges(&c.Changes)
	completeMail(c.Mail)
	for i := range c.Customers {
		if c.Customers[i].Title == "" {
			c.Customers[i].Title = c.Customers[i].Name
		}
	}
}

// beside makes a path that the file gives relative to its folder.
func beside(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// localURL is how this machine reaches a listener; nothing when its port is chosen at start.
func localURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "0" {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func completeFeature(f *quality.Feature) {
	if f.Title == "" {
		f.Title = f.Name
	}
	completeSampling(f.Sampling)
	if f.Redact == nil { // an empty list is not nil: it says that nothing is to be replaced
		f.Redact = quality.DefaultRedact()
	}
	f.Spans.Join = or(f.Spans.Join, quality.JoinRequest)
	f.Spans.Wait = or(f.Spans.Wait, quality.DefaultSpanWait)
	f.Conversation = f.Conversation.WithDefaults()
	open := map[string]bool{} // metrics without bounds
	for i := range f.Scorers {
		f.Scorers[i] = f.Scorers[i].AskingDefaults()
		s := &f.Scorers[i]
		open[s.Name] = unbounded(*s)
		completeScorer(s)
	}
	for i := range f.Monitors {
		completeRange(&f.Monitors[i], f.Scorers)
		completeMonitor(&f.Monitors[i], open[f.Monitors[i].Metric])
	}
	for i := range f.Probes {
		f.Probes[i] = f.Probes[i].WithDefaults()
	}
	for i := range f.Canaries {
		f.Canaries[i] = f.Canaries[i].WithDefaults()
	}
}

func completeChanges(c *quality.ChangeSpec) {
	c.Undeclared.Before = or(c.Undeclared.Before, defaultExplainBefore)
	c.Undeclared.After = or(c.Undeclared.After, defaultExplainAfter)
	for i := range c.Map {
		c.Map[i].Layer = or(c.Map[i].Layer, quality.LayerServing)
	}
}

// completeRange gives a monitor of a judge the judge's scale, and one of embeddings the range of a cosine.
func completeRange(m *quality.MonitorSpec, scorers []quality.ScorerSpec) {
	for i := range scorers {
		if s := scorers[i].AskingDefaults(); s.Name != m.Metric || m.Range != nil || m.Unbounded {
			continue
		} else if s.Type == quality.ScorerJudge {
			m.Range = s.Scale
		} else if s.Type == quality.ScorerEmbedding {
			m.Range = &[2]float64{-1, 1}
		}
	}
}

func completeMonitor(m *quality.MonitorSpec, open bool) {
	m.Worse = or(m.Worse, quality.WorseLower)
	m.MaxSlices = or(m.MaxSlices, defaultMaxSlices)
	if m.Objective != nil {
		m.Objective.Over = or(m.Objective.Over, quality.DefaultObjectiveOver)
	}
	switch {
	case m.Range != nil || m.Unbounded:
	case open:
		m.Unbounded = true
	default:
		m.Range = &[2]float64{0, 1}
	}
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
