package console

import (
	"fmt"
	"html/template"
	"math"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// none stands where there is no figure.
const none = "–"

// formatter writes figures and times for people: rounded, in the reporting time zone.
type formatter struct {
	loc *time.Location
	now func() time.Time
}

func (f formatter) funcs() template.FuncMap {
	return template.FuncMap{
		"at": f.at, "ago": f.ago, "day": f.day, "level": level, "amount": amount, "interval": interval, "figure": figureText,
		"percent": percentText, "count": count, "num": num, "t": short, "inert": inertOf, "slice": sliceText, "span": span,
		"featureURL": featureURL, "monitorURL": monitorURL, "regressionURL": regressionURL, "sampleURL": sampleURL,
		"incidentURL": incidentURL, "baselineURL": baselineURL, "judgeURL": judgeURL, "labelURL": labelURL, "changeURL": changeURL,
		"customerURL": customerURL, "said": said, "join": strings.Join, "word": word, "arr": arr, "money": money, "form": newFormField,
		"say": say, "size": size, "tenth": tenth, "names": names, "ptr": func(f quality.Figure) *quality.Figure { return &f }, "ptrExample": func(x quality.Example) *quality.Example { return &x },
		"score": scoreText, "text": func(data []byte) string { return string(data) },
	}
}

// names makes a list of choices.
func names(list ...string) []string { return list }

// scoreText writes a score of a metric whose bounds may be known.
func scoreText(ranges map[string][2]float64, metric string, v float64) string {
	if r, ok := ranges[metric]; ok {
		return level(r, v)
	}
	return num(v)
}

// arr makes a list of its arguments, for templates that take several.
func arr(items ...any) []any { return items }

// timeOf reads a time or a pointer to one; ok is false when there is none.
func timeOf(v any) (t time.Time, ok bool) {
	switch x := v.(type) {
	case time.Time:
		t = x
	case *time.Time:
		if x != nil {
			t = *x
		}
	}
	return t, !t.IsZero()
}

// at writes a time to the minute.
func (f formatter) at(v any) template.HTML {
	t, ok := timeOf(v)
	if !ok {
		return none
	}
	t = t.In(f.loc)
	form := "2 Jan 15:04"
	if t.Year() != f.now().In(f.loc).Year() {
		form = "2 Jan 2006 15:04"
	}
	return timeTag(t, t.Format(form))
}

func timeTag(t time.Time, text string) template.HTML {
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339) + `">` + template.HTMLEscapeString(text) + `</time>`) //nolint:gosec // a formatted time and escaped text
}

// day writes a date.
func (f formatter) day(v any) template.HTML {
	t, ok := timeOf(v)
	if !ok {
		return none
	}
	t = t.In(f.loc)
	return timeTag(t, t.Format("2 Jan 2006"))
}

// ago writes how long ago or ahead a time is.
func (f formatter) ago(v any) template.HTML {
	t, ok := timeOf(v)
	if !ok {
		return none
	}
	d := f.now().Sub(t)
	text := span(d.Abs()) + " ago"
	if d < 0 {
		text = "in " + span(-d)
	}
	return timeTag(t.In(f.loc), text)
}

// span writes a length of time in its largest unit, or its two largest.
func span(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		if m := int(d.Minutes()) % 60; m != 0 && d < 10*time.Hour {
			return fmt.Sprintf("%d h %d min", int(d.Hours()), m)
		}
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// number reads a number or a pointer to one.
func number(v any) (x float64, ok bool) {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return 0, false
		}
		r = r.Elem()
	}
	if !r.IsValid() || !r.CanFloat() {
		return 0, false
	}
	x = r.Float()
	return x, !math.IsNaN(x) && !math.IsInf(x, 0)
}

// num writes a number with three digits.
func num(v any) string {
	x, ok := number(v)
	if !ok {
		return none
	}
	return minus(strconv.FormatFloat(round(x), 'f', -1, 64))
}

// round keeps three digits, and all of a whole number.
func round(x float64) float64 {
	if x == 0 || math.Abs(x) >= 100 {
		return math.Round(x)
	}
	scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(x))))
	return math.Round(x*scale) / scale
}

// minus writes the sign as readers know it.
func minus(s string) string { return strings.ReplaceAll(s, "-", "−") }

// share01 reports whether a metric is a share, which is written in percent.
func share01(bounds [2]float64) bool { return bounds == [2]float64{0, 1} }

// level writes a value of a metric.
func level(bounds [2]float64, v any) string {
	x, ok := number(v)
	switch {
	case !ok:
		return none
	case share01(bounds):
		return fmt.Sprintf("%.1f %%", 100*x)
	default:
		return num(x)
	}
}

// amount writes a difference of a metric, with its sign.
func amount(bounds [2]float64, v any) string {
	x, ok := number(v)
	if !ok {
		return none
	}
	text := quality.Amount(bounds, x)
	switch {
	case strings.Trim(text, "-0. points") == "": // too small to have a sign
		text = strings.TrimPrefix(text, "-")
	case x > 0:
		text = "+" + text
	}
	return minus(text)
}

// size writes how large a difference is, without its sign.
func size(bounds [2]float64, v any) string {
	x, ok := number(v)
	if !ok {
		return none
	}
	return quality.Amount(bounds, math.Abs(x))
}

// tenth writes a number of percent.
func tenth(v any) string {
	x, ok := number(v)
	if !ok {
		return none
	}
	return minus(strconv.FormatFloat(x, 'f', 1, 64))
}

// interval writes the interval of a difference.
func interval(bounds [2]float64, v *[2]float64) string {
	if v == nil {
		return ""
	}
	bare := func(x float64) string { return minus(strings.TrimSuffix(quality.Amount(bounds, x), " points")) }
	return "[" + bare(v[0]) + ", " + bare(v[1]) + "]"
}

// figureText writes a difference with its interval.
func figureText(bounds [2]float64, f *quality.Figure) string {
	if f == nil {
		return none
	}
	return amount(bounds, f.Value) + " " + interval(bounds, &f.Interval)
}

// percentText writes a share, 0 to 1.
func percentText(v any) string {
	x, ok := number(v)
	if !ok {
		return none
	}
	if x = 100 * x; x != 0 && math.Abs(x) < 1 {
		return minus(fmt.Sprintf("%.1f %%", x))
	}
	return minus(fmt.Sprintf("%.0f %%", x))
}

// money writes a cost.
func money(x float64) string { return fmt.Sprintf("%.2f", x) }

// count writes a whole number in groups of three digits.
func count(v any) string {
	r := reflect.ValueOf(v)
	s := fmt.Sprint(v)
	if !r.CanInt() && !r.CanUint() {
		return s
	}
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return minus(s)
}

// sliceText names a slice.
func sliceText(s quality.Slice) template.HTML {
	if len(s) == 0 {
		return "all traffic"
	}
	return short(s.Key())
}

// word writes a state as a word.
func word(v any) string { return strings.ReplaceAll(fmt.Sprint(v), "_", " ") }

const root = "/console"

func featureURL(name string) string        { return root + "/features/" + url.PathEscape(name) }
func monitorURL(feature, m string) string  { return pair("monitors", feature, m) }
func baselineURL(feature, m string) string { return pair("baselines", feature, m) }
func judgeURL(feature, m string) string    { return pair("judges", feature, m) }
func labelURL(feature, m string) string    { return pair("labels", feature, m) }
func sampleURL(feature, id string) string  { return pair("samples", feature, id) }
func regressionURL(id string) string       { return root + "/regressions/" + url.PathEscape(id) }
func incidentURL(id string) string         { return root + "/incidents/" + url.PathEscape(id) }
func changeURL(id string) string           { return root + "/changes/" + url.PathEscape(id) }
func pair(what, feature, name string) string {
	return root + "/" + what + "/" + url.PathEscape(feature) + "/" + url.PathEscape(name)
}
