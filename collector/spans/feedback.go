package spans

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/asgood-dev/asgood/internal/quality"
)

// feedback returns what a span says of outputs: the evaluation events on it, and annotations.
func (r *reading) feedback(s ptrace.Span, f *feature, role Role) []quality.Feedback {
	noted := r.own.groups[groupAnnotations]
	if len(noted) == 0 && !hasEvaluations(s) {
		return nil
	}
	target := targetOf(s, role)
	if f != nil {
		target.Feature = f.name
	}
	var out []quality.Feedback
	for _, e := range s.Events().All() {
		if e.Name() == eventEvaluation && len(out) < maxFeedback {
			r.x.table.read(e.Attributes(), r.event)
			out = appendFeedback(out, r.event.evaluation(target, timeOf(e.Timestamp()), target.Time))
		}
	}
	return r.annotations(out, noted, target)
}

func hasEvaluations(s ptrace.Span) bool {
	for _, e := range s.Events().All() {
		if e.Name() == eventEvaluation {
			return true
		}
	}
	return false
}

// targetOf says whom the feedback on a span is about: the span itself, or, where a span was made later to
// carry it, the one span that is linked.
func targetOf(s ptrace.Span, role Role) quality.Feedback {
	t := quality.Feedback{
		Trace: hexOf(s.TraceID().IsEmpty(), s.TraceID().String), Span: hexOf(s.SpanID().IsEmpty(), s.SpanID().String),
		Time: timeOf(max(s.StartTimestamp(), s.EndTimestamp())),
	}
	if (role == RoleEvaluation || role == RoleOther) && s.Links().Len() == 1 {
		link := s.Links().At(0)
		t.Trace, t.Span = hexOf(link.TraceID().IsEmpty(), link.TraceID().String), hexOf(link.SpanID().IsEmpty(), link.SpanID().String)
	}
	return t
}

// evaluation reads an event gen_ai.evaluation.result.
func (v *view) evaluation(target quality.Feedback, at, otherwise time.Time) quality.Feedback {
	f := target
	if f.Time = at; at.IsZero() {
		f.Time = otherwise
	}
	f.Metric, f.Label, f.Explanation = v.text(evaluationName), v.text(evaluationLabel), v.text(evaluationExplanation)
	f.Error, f.By, f.Kind = v.text(errorType), v.text(evaluationBy), kindOf(v.text(evaluationKind))
	f.Response = v.text(genResponseID)
	if value, ok := v.get(evaluationValue); ok {
		setValue(&f, value)
	}
	return f
}

// appendFeedback takes what has a metric and says anything, once.
func appendFeedback(list []quality.Feedback, f quality.Feedback) []quality.Feedback {
	f.Metric, f.Label, f.By = clip(f.Metric, quality.MaxNameLen), clip(f.Label, quality.MaxNameLen), clip(f.By, quality.MaxNameLen)
	f.Session, f.Response = clip(f.Session, quality.MaxNameLen), clip(f.Response, quality.MaxNameLen)
	f.Explanation, f.Error = clip(f.Explanation, maxText), clip(f.Error, maxText)
	says := f.Value != nil || f.Label != "" || f.Explanation != "" || f.Error != ""
	same := func(g quality.Feedback) bool { return sameFeedback(&f, &g) }
	if f.Metric == "" || !says || len(list) >= maxFeedback || slices.ContainsFunc(list, same) {
		return list
	}
	return append(list, f)
}

func sameFeedback(a, b *quality.Feedback) bool {
	x, y := *a, *b
	if (x.Value == nil) != (y.Value == nil) || x.Value != nil && *x.Value != *y.Value || !x.Time.Equal(y.Time) {
		return false
	}
	x.Value, y.Value, x.Time, y.Time = nil, nil, time.Time{}, time.Time{}
	return x == y
}

// setValue takes a number; what is none makes the evaluation a failed one.
func setValue(f *quality.Feedback, v pcommon.Value) {
	var x float64
	switch v.Type() {
	case pcommon.ValueTypeDouble:
		x = v.Double()
	case pcommon.ValueTypeInt:
		x = float64(v.Int())
	default:
		var err error
		if x, err = strconv.ParseFloat(v.AsString(), 64); err != nil {
			x = math.NaN()
		}
	}
	if math.IsNaN(x) || math.IsInf(x, 0) {
		if f.Error == "" {
			f.Error = "the score is not a number"
		}
		return
	}
	f.Value = &x
}

func kindOf(kind string) quality.FeedbackKind {
	switch strings.ToUpper(kind) {
	case "HUMAN":
		return quality.FeedbackHuman
	case "USER":
		return quality.FeedbackUser
	case "LLM", "JUDGE":
		return quality.FeedbackJudge
	case "CODE":
		return quality.FeedbackCode
	default:
		return quality.FeedbackUnknown
	}
}

// annotation is where one of OpenInference's annotations stands: trace.evaluations.0 has the scope trace.
type annotation struct {
	scope, form string
	index       int
}

// annotations reads attributes such as annotations.0.annotation.score. The two forms mean the same, and a
// result that came in both counts once.
func (r *reading) annotations(out []quality.Feedback, attributes []pair, target quality.Feedback) []quality.Feedback {
	if len(attributes) == 0 {
		return out
	}
	found := map[annotation]*quality.Feedback{}
	for _, p := range attributes {
		at, field, ok := annotationAt(p.name)
		if !ok || len(found) >= maxFeedback && found[at] == nil {
			continue
		}
		f := found[at]
		if f == nil {
			scoped := r.scoped(at.scope, target)
			f = &scoped
			found[at] = f
		}
		annotate(f, field, p.value)
	}
	for _, at := range sortedAnnotations(found) {
		f := found[at]
		if f.Trace == "" && f.Session == "" {
			continue
		}
		out = appendFeedback(out, *f)
	}
	return out
}

func annotationAt(name string) (at annotation, field string, ok bool) {
	at.scope = "span"
	for _, scope := range []string{"trace", "session"} {
		if rest, ok := strings.CutPrefix(name, scope+"."); ok {
			at.scope, name = scope, rest
		}
	}
	at.form, name, _ = strings.Cut(name, ".")
	at.index, name, ok = index(name)
	field, inner := strings.CutPrefix(name, strings.TrimSuffix(at.form, "s")+".")
	return at, field, ok && inner
}

func sortedAnnotations(found map[annotation]*quality.Feedback) []annotation {
	keys := make([]annotation, 0, len(found))
	for k := range found {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b annotation) int {
		if c := strings.Compare(a.scope+a.form, b.scope+b.form); c != 0 {
			return c
		}
		return a.index - b.index
	})
	return keys
}

// scoped widens the target to the trace or to the session.
func (r *reading) scoped(scope string, target quality.Feedback) quality.Feedback {
	switch scope {
	case "trace":
		target.Span = ""
	case "session":
		target.Trace, target.Span, target.Session = "", "", r.text(sessionID, conversationID)
	}
	return target
}

func annotate(f *quality.Feedback, field string, v pcommon.Value) {
	switch field {
	case "name":
		f.Metric = textOf(v)
	case "score":
		setValue(f, v)
	case "label":
		f.Label = textOf(v)
	case "explanation":
		f.Explanation = textOf(v)
	case "annotator_kind":
		f.Kind = kindOf(textOf(v))
	case "identifier":
		f.By = textOf(v)
	}
}

// logEvaluation reads an evaluation that came as a log record, which belongs to the span that was judged.
func (r *reading) logEvaluation(rec *Record) {
	target := quality.Feedback{Trace: rec.Trace, Span: rec.Span, Feature: rec.Sample.Feature}
	f := r.own.evaluation(target, rec.End, rec.End)
	if f.Trace == "" && f.Response == "" {
		return
	}
	rec.Feedback = appendFeedback(nil, f)
}
