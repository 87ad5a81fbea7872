package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/goccy/go-yaml/ast"
)

// text returns a scalar as text with ${NAME} replaced, and remembers where it stood.
func (d *decoder) text(n ast.Node, path, want string) (string, bool) {
	var raw string
	replace := false
	switch s := n.(type) {
	case *ast.StringNode:
		raw, replace = s.Value, true
	case *ast.LiteralNode:
		raw, replace = s.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		raw = n.GetToken().Value
	default:
		d.wrongForm(n, path, want)
		return "", false
	}
	at := d.places[path]
	at.text = raw
	defer func() { d.places[path] = at }()
	if !replace || d.verbatim || !strings.Contains(raw, "${") {
		return raw, true
	}
	value, used, err := d.expand(raw)
	at.fromEnv = used
	if err != nil {
		d.problem(at, path, "%v", err)
		return "", false
	}
	return value, true
}

var (
	variable         = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	variableAnywhere = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
)

// expand replaces ${NAME} by the variable and $${ by ${. What a variable holds is not looked into again.
func (d *decoder) expand(s string) (value string, used bool, err error) {
	var b strings.Builder
	for len(s) > 0 {
		i := strings.Index(s, "${")
		if i < 0 {
			break
		}
		if i > 0 && s[i-1] == '$' {
			b.WriteString(s[:i-1] + "${")
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		m := variable.FindStringSubmatch(s[i:])
		if m == nil {
			return "", used, errors.New(`holds "${" that no variable name and "}" follow (write "$${" for the characters themselves)`)
		}
		v, ok := d.env(m[1])
		if !ok {
			return "", used, fmt.Errorf("wants the environment variable %s, which is not set", m[1])
		}
		used = true
		if b.Len()+len(v) > maxFile {
			return "", used, fmt.Errorf("grows beyond %d bytes with what the variables hold", maxFile)
		}
		b.WriteString(v)
		s = s[i+len(m[0]):]
	}
	b.WriteString(s)
	return b.String(), used, nil
}

func clip(s string) string { return clipTo(s, 80) }

func clipTo(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "..."
	}
	return s
}

func (d *decoder) scalar(n ast.Node, v reflect.Value, path string) {
	want := map[reflect.Kind]string{reflect.String: "text", reflect.Bool: "true or false", reflect.Int: "a whole number", reflect.Float64: "a number"}[v.Kind()]
	s, ok := d.text(n, path, want)
	if !ok {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
		return
	case reflect.Bool:
		ok = s == "true" || s == "false"
		v.SetBool(s == "true")
	case reflect.Int:
		i, err := strconv.Atoi(strings.ReplaceAll(s, "_", ""))
		ok = err == nil
		v.SetInt(int64(i))
	case reflect.Float64:
		f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
		ok = err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
		v.SetFloat(f)
	}
	if !ok {
		d.bad(path, "want %s", want)
	}
}

var (
	durationType    = reflect.TypeFor[time.Duration]()
	timeType        = reflect.TypeFor[time.Time]()
	falseAlarmsType = reflect.TypeFor[quality.FalseAlarms]()
	windowType      = reflect.TypeFor[quality.BaselineWindow]()
	bytesType       = reflect.TypeFor[Bytes]()
	rateType        = reflect.TypeFor[Rate]()
	quotaType       = reflect.TypeFor[quality.Quota]()
	redactRuleType  = reflect.TypeFor[quality.RedactRule]()
	contentType     = reflect.TypeFor[quality.Content]()
	promptsType     = reflect.TypeFor[[]quality.CanaryPrompt]()
	listsType       = reflect.TypeFor[map[string][]string]()
)

// union fills values that have forms of their own, and reports whether v is one.
func (d *decoder) union(n ast.Node, v reflect.Value, path string) bool {
	_, isMap := n.(ast.MapNode)
	switch v.Type() {
	case durationType:
		d.duration(n, v.Addr().Interface().(*time.Duration), path, "a duration such as 30d, 90m or 30s")
	case bytesType:
		d.bytes(n, v.Addr().Interface().(*Bytes), path)
	case timeType:
		d.time(n, v.Addr().Interface().(*time.Time), path)
	case listsType:
		d.lists(n, v.Addr().Interface().(*map[string][]string), path)
	case falseAlarmsType:
		f := v.Addr().Interface().(*quality.FalseAlarms)
		*f = quality.FalseAlarms{}
		if isMap {
			return false
		}
		d.duration(n, &f.Period, path, "a duration such as 30d, or {samples: N}")
	case windowType:
		if isMap {
			return false
		}
		d.duration(n, &v.Addr().Interface().(*quality.BaselineWindow).Last, path, "a duration such as 7d, or {from: TIME, to: TIME}")
	case rateType:
		d.rate(n, v.Addr().Interface().(*Rate), path)
	case quotaType:
		d.quota(n, v.Addr().Interface().(*quality.Quota), path)
	case redactRuleType:
		if isMap {
			return false
		}
		kind, ok := d.text(n, path, "a kind such as email, {pattern: REGEX, name: NAME} or {field: NAME}")
		if ok {
			v.Addr().Interface().(*quality.RedactRule).Kind = kind
		}
	case contentType:
		d.content(n, v.Addr().Interface().(*quality.Content), path)
	case promptsType:
		if _, isList := n.(*ast.SequenceNode); isList {
			return false
		}
		d.promptFile(n, v.Addr().Interface().(*[]quality.CanaryPrompt), path)
	default:
		return d.publishUnion(n, v, path)
	}
	return true
}

func (d *decoder) duration(n ast.Node, out *time.Duration, path, want string) {
	s, ok := d.text(n, path, want)
	if !ok {
		return
	}
	v, err := parseDuration(s)
	if err != nil {
		d.bad(path, "want %s", want)
		return
	}
	*out = v
}

func (d *decoder) quota(n ast.Node, out *quality.Quota, path string) {
	const want = "a number for each period such as 50/h, 2000/d or 10/m"
	s, ok := d.text(n, path, want)
	if !ok {
		return
	}
	if *out, ok = parseQuota(s); !ok {
		d.bad(path, "want %s", want)
	}
}

func (d *decoder) time(n ast.Node, out *time.Time, path string) {
	const want = "a date such as 2026-03-01, or a time such as 2026-03-01T12:00:00Z"
	s, ok := d.text(n, path, want)
	if !ok {
		return
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.ParseInLocation(time.DateOnly, s, d.location)
	}
	if err != nil {
		d.bad(path, "want %s", want)
		return
	}
	*out = t
}

var (
	durationPart = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(ms|[smhdw])`)
	units        = map[string]time.Duration{
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": day, "w": 7 * day,
	}
)

var errDuration = errors.New("not a duration")

// parseDuration reads a sum of numbers with units, such as 2w, 1d12h or 1.5s. A day is 24 hours.
func parseDuration(s string) (time.Duration, error) {
	if s == "" {
		return 0, errDuration
	}
	var sum float64
	for s != "" {
		m := durationPart.FindStringSubmatch(s)
		if m == nil {
			return 0, errDuration
		}
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, errDuration
		}
		sum += n * float64(units[m[2]])
		s = s[len(m[0]):]
	}
	if sum >= math.MaxInt64/2 {
		return 0, errDuration
	}
	return time.Duration(math.Round(sum)), nil
}

var quotaPeriods = map[string]time.Duration{
	"m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hour": time.Hour,
	"d": day, "day": day,
}

// parseQuota reads a whole number and a period, such as 50/h. Underscores may part the digits.
func parseQuota(s string) (q quality.Quota, ok bool) {
	number, period, _ := strings.Cut(s, "/")
	n, err := strconv.ParseUint(strings.ReplaceAll(strings.TrimSpace(number), "_", ""), 10, 31)
	per, known := quotaPeriods[strings.TrimSpace(period)]
	if err != nil || !known {
		return quality.Quota{}, false
	}
	return quality.Quota{N: int(n), Per: per}, true
}
