package alerts

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wording"
)

// Texts are for customers: they name no customer, no model and no internal error.

// nameOf is the headline of a quality incident.
func nameOf(title string) string { return title + " gives worse answers than usual" }

func downName(title string) string { return title + " is down" }

// unknownChange is said until somebody knows better.
const unknownChange = "We do not know yet what changed."

// regressionFacts are what the figures and the configuration say of a regression. What changed is not known to
// them: suspects are for people inside until somebody names one.
func regressionFacts(f feature, r quality.Regression, loc *time.Location) wording.Facts {
	return wording.Facts{
		What:      nameOf(f.title) + ". This is about the answers themselves; its uptime is told separately.",
		Since:     sinceText(r, loc),
		Size:      sizeText(r),
		Who:       scopeText(r),
		Changed:   unknownChange,
		Done:      "We are looking into it.",
		Meanwhile: or(f.advice, "Please check answers that matter before you rely on them."),
		Fixed:     "It is over when enough answers in a row are as good as before.",
		Next:      "The next update comes when the figures change.",
	}
}

// downFacts are what is known of a feature that does not answer.
func downFacts(f feature, since time.Time, loc *time.Location) wording.Facts {
	return wording.Facts{
		What:      f.title + " does not answer our checks.",
		Since:     "It has not answered since " + clock(since, loc) + ".",
		Who:       "Whoever uses it may get no answer.",
		Done:      "We are looking into it.",
		Meanwhile: f.advice,
		Fixed:     "It is over when it passes our checks again.",
		Next:      "The next update comes when it answers again.",
	}
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// openedText is the first text of an incident. Where the template of the configuration cannot be filled the built-in
// one is taken, and what it leaves out is told behind it: nobody reads this text before a rule publishes it.
func (at surroundings) openedText(rec record, f feature, facts wording.Facts) string {
	fields := wording.Fields{Facts: facts, Name: rec.Name, Feature: f.title, Severity: string(rec.Severity), Owner: rec.Owner, From: clock(rec.StartedAt, at.loc)}
	text, err := at.words.Fill(wording.Investigating, fields)
	if err != nil || text == "" {
		text, _ = wording.Templates{}.Fill(wording.Investigating, fields) // the built-in one has a test
	}
	return wording.Complete(rec.Kind, text, facts)
}

func sinceText(r quality.Regression, loc *time.Location) string {
	if r.StartedAt == nil {
		return "When it began is not known; it was found at " + clock(r.DetectedAt, loc) + "."
	}
	return "It began at about " + clock(*r.StartedAt, loc) + "."
}

func clock(t time.Time, loc *time.Location) string { return t.In(loc).Format("15:04 MST on 2 January") }

// sizeText is the figure with its interval, in percent where the metric is a share.
func sizeText(r quality.Regression) string {
	if r.Change == nil || r.Baseline.Mean == nil || r.Current.Mean == nil {
		return "How much worse is not known yet."
	}
	way := "lower"
	if *r.Change > 0 {
		way = "higher"
	}
	text := fmt.Sprintf("The measure “%s” is at %s; usual is %s: %s %s", r.Metric, value(r, *r.Current.Mean), value(r, *r.Baseline.Mean),
		difference(r, math.Abs(*r.Change)), way)
	if r.Interval != nil {
		a, b := math.Abs(r.Interval[0]), math.Abs(r.Interval[1])
		if r.Interval[0]*r.Interval[1] < 0 { // the interval reaches over zero
			return fmt.Sprintf("%s. How much exactly is not sure yet: the 95 %% interval reaches from %s lower to %s higher.", text, plain(r, a), plain(r, b))
		}
		return fmt.Sprintf("%s (95 %% interval %s to %s).", text, plain(r, min(a, b)), plain(r, max(a, b)))
	}
	return text + "."
}

func isShare(r quality.Regression) bool { return r.Range == [2]float64{0, 1} }

func value(r quality.Regression, v float64) string {
	if isShare(r) {
		return fmt.Sprintf("%.1f %%", 100*v)
	}
	return fmt.Sprintf("%.3g", v)
}

func difference(r quality.Regression, v float64) string {
	if isShare(r) {
		return fmt.Sprintf("%.1f points", 100*v)
	}
	return fmt.Sprintf("%.3g", v)
}

func plain(r quality.Regression, v float64) string {
	if isShare(r) {
		return fmt.Sprintf("%.1f", 100*v)
	}
	return fmt.Sprintf("%.3g", v)
}

// unnamed are the attributes whose values are nobody else's business.
var unnamed = []string{"customer", "model", "prompt"}

// scopeText says who is affected. A drop in one language alone shows in the whole feature too, so that
// of the whole alone it is not said that everybody is.
func scopeText(r quality.Regression) string {
	if len(r.Slice) > 0 {
		if who := whoText(r.Slice); who != "" {
			return who + " are affected."
		}
		return "A part of the answers is affected."
	}
	if who := whoText(worst(r)); who != "" {
		return "All answers together are affected, and most of all " + strings.ToLower(who[:1]) + who[1:] + "."
	}
	return "All answers together are affected; it is not known yet whether some more than others."
}

// plainValue is what a value may look like that is named: texts are Markdown, and senders chose it.
var plainValue = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} ._+-]{0,59}$`)

// whoText names a slice; nothing where its values are nobody else's business, or could be read as something else.
func whoText(s quality.Slice) string {
	for name, v := range s {
		if !slices.Contains(unnamed, name) && plainValue.MatchString(v) && !strings.Contains(strings.ToLower(v), "www.") {
			return fmt.Sprintf("Answers with %s “%s”", name, v)
		}
	}
	return ""
}

// worst is the confirmed slice that lost most, when it lost more than the whole feature, and may be named.
func worst(r quality.Regression) (slice quality.Slice) {
	most := 0.0
	if r.Change != nil {
		most = math.Abs(*r.Change)
	}
	for _, s := range r.Slices {
		if s.Change != nil && s.RecoveredAt == nil && math.Abs(*s.Change) > most && whoText(s.Slice) != "" {
			most, slice = math.Abs(*s.Change), s.Slice
		}
	}
	return slice
}

func worseText(title string, r quality.Regression, facts wording.Facts) string {
	return title + " got worse than first reported. " + sizeText(r) + " " + scopeText(r) + lookingText(facts)
}

func widerText(title string, r quality.Regression, facts wording.Facts) string {
	return title + " is affected more widely than first reported. " + scopeText(r) + " " + sizeText(r) + lookingText(facts)
}

// lookingText says that nobody knows the cause yet, unless somebody does.
func lookingText(facts wording.Facts) string {
	if facts.Changed != unknownChange {
		return ""
	}
	return " " + unknownChange + " We are still looking into it."
}

func resolvedText(title string, r quality.Regression, loc *time.Location) string {
	since := ""
	if r.RecoveredAt != nil {
		since = " since about " + clock(*r.RecoveredAt, loc)
	}
	return fmt.Sprintf("%s has been as good as usual again%s. We know because enough answers in a row were as good as before.", title, since)
}

// endedText says how a regression ended, and does not claim what was not measured.
func endedText(title string, ev quality.RegressionEvent, loc *time.Location) string {
	if ev.Type == quality.RegressionWithdrawn {
		return fmt.Sprintf("How %s is measured was changed before this was over, so we cannot tell from the same measure whether "+
			"answers are as good as before. The new measure decides from now on.", title)
	}
	return resolvedText(title, ev.Regression, loc)
}

func upText(title string, since time.Time, loc *time.Location) string {
	return fmt.Sprintf("%s has answered our checks again since %s.", title, clock(since, loc))
}
