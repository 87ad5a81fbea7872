package quality

import (
	"fmt"
	"math"
	"strings"
)

// Amount writes a difference of a metric: in points where the metric is a share, else with three digits.
func Amount(bounds [2]float64, v float64) string {
	if bounds == [2]float64{0, 1} {
		return fmt.Sprintf("%.1f points", 100*v)
	}
	return fmt.Sprintf("%.3g", v)
}

// bare is an Amount without its unit.
func bare(bounds [2]float64, v float64) string {
	return strings.TrimSuffix(Amount(bounds, v), " points")
}

// MovedText says how a figure moved, such as "fell 9.0 points [7.0, 11.0]" or "did not change (-0.2 points [-1.0, 0.6])".
func MovedText(bounds [2]float64, f Figure) string {
	lo, hi := f.Interval[0], f.Interval[1]
	if f.Zero() {
		return fmt.Sprintf("did not change beyond chance (%s [%s, %s])", Amount(bounds, f.Value), bare(bounds, lo), bare(bounds, hi))
	}
	word := "rose"
	if f.Value < 0 {
		word, lo, hi = "fell", -hi, -lo
	}
	return fmt.Sprintf("%s %s [%s, %s]", word, Amount(bounds, math.Abs(f.Value)), bare(bounds, lo), bare(bounds, hi))
}

// NameOf names a part of the traffic.
func NameOf(attribute, value string) string {
	if value == "" {
		return "no " + attribute
	}
	return attribute + " " + value
}

// Sentences tells the explanation to people inside, the most important first. It may name customers, models
// and prompts.
func (e *Explanation) Sentences() []string {
	switch {
	case e.At.IsZero():
		return []string{"Not explained yet" + because(e.Pending) + "."}
	case e.Change == nil:
		return e.Notes
	}
	out := []string{fmt.Sprintf("Against the time just before, %s %s.", e.Metric, MovedText(e.Range, *e.Change))}
	out = append(out, e.splitText()...)
	if len(e.Slices) > 0 {
		out = append(out, e.sliceText(e.Slices[0]))
	} else if e.Tested > 0 {
		out = append(out, fmt.Sprintf("None of %d slices is known to have got worse by itself.", e.Tested))
	}
	out = append(out, e.suspectText())
	return append(out, e.Notes...)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// splitText tells the split that explains most.
func (e *Explanation) splitText() []string {
	if s := e.TrafficSplit(); s != nil {
		text := fmt.Sprintf("By %s: %s within the same traffic, %s by another mix of it", s.Attribute, e.signed(s.Within), e.signed(s.Mix))
		if s.New.Value != 0 {
			text += fmt.Sprintf(", %s by new traffic", e.signed(s.New))
		}
		if s.Gone.Value != 0 {
			text += fmt.Sprintf(", %s by traffic that is gone", e.signed(s.Gone))
		}
		return []string{text + "."}
	}
	return nil
}

func (e *Explanation) signed(f Figure) string {
	sign := ""
	if f.Value > 0 {
		sign = "+"
	}
	return fmt.Sprintf("%s%s [%s, %s]", sign, Amount(e.Range, f.Value), bare(e.Range, f.Interval[0]), bare(e.Range, f.Interval[1]))
}

func (e *Explanation) sliceText(c CarryingPart) string {
	text := fmt.Sprintf("Traffic with %s (%.0f %% of it) %s", NameOf(c.Attribute, c.Value), 100*c.Traffic, MovedText(e.Range, c.Change))
	if !c.Stands || c.Rest == nil {
		return text + "; no slice stands out."
	}
	if c.Share >= 0.995 { // more than all of it where the others got better
		text += " and explains all of the change"
	} else {
		text += fmt.Sprintf(" and explains %.0f %% of the change", 100*c.Share)
	}
	if c.RestSame {
		return text + "; everything else is as before."
	}
	return text + "; the other traffic " + MovedText(e.Range, *c.Rest) + "."
}

// FitWeight is the weight from which a suspect is named as one that fits.
const FitWeight = 0.3

// Fits returns the likeliest suspect, or nil when none fits.
func (e *Explanation) Fits() *Suspect {
	if len(e.Suspects) == 0 || e.Suspects[0].Weight < FitWeight || e.Suspects[0].Weight < e.Unknown {
		return nil
	}
	return &e.Suspects[0]
}

func (e *Explanation) suspectText() string {
	s := e.Fits()
	if s == nil {
		return "No suspect fits."
	}
	return fmt.Sprintf("Likeliest cause (%.0f %%): %s. %s", 100*s.Weight, s.Title, s.Evidence)
}
