package console

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The queue of labels looks so far back, at so many samples.
const (
	queueTime = 7 * 24 * time.Hour
	queueLook = 5000
)

// labelView shows one sample to a person who labels it.
type labelView struct {
	Feature, Metric, Human string
	Sample                 *quality.Sample // nil: nothing is left to label
	Left                   int
	Labelled               int
	Scale                  []float64 // of few values: buttons
	Form                   struct{ Value, Explanation string }
	Skip                   string // ids to pass over, with this one
}

func (c *Console) labelPage(g *gin.Context) (view, error) {
	return c.labelOf(g, g.Param("feature"), tail(g, "metric"), g.Query("skip"), g.Query("sample"))
}

// labelOf shows a sample to label: the one of an id, or the next.
func (c *Console) labelOf(g *gin.Context, feature, metric, skip, sample string) (view, error) {
	ctx, now := g.Request.Context(), c.o.Now()
	j, err := c.judge(feature, metric)
	if err != nil {
		return view{}, err
	}
	v := view{name: "label", Title: "Label " + metric, Section: "judges",
		Crumbs: []crumb{{"Judges", root + "/judges"}, {metric, judgeURL(feature, metric)}}}
	p := labelView{Feature: feature, Metric: metric, Human: j.Human, Skip: skip}
	p.Scale = c.scale(feature, metric)
	list, err := c.o.Store.Judged(ctx, feature, metric, j.Human, now.Add(-queueTime), now, queueLook)
	if !v.note("Samples to label", err) {
		v.Page = &p
		return v, nil
	}
	queue, labelled := queueOf(list, c.o.Actor(ctx).ID, strings.Split(skip, ","))
	p.Left, p.Labelled = len(queue), labelled
	if sample == "" && len(queue) > 0 {
		sample = queue[0]
	}
	if sample != "" {
		x, err := c.o.Store.Sample(ctx, feature, sample)
		if v.note("Sample "+sample, err) {
			p.Sample = &x
		}
		p.Skip = strings.Trim(cutText(skip+","+sample, 2000), ",")
	}
	v.Page = &p
	return v, nil
}

func (c *Console) judge(feature, metric string) (quality.JudgeStatus, error) {
	for _, j := range c.o.Judges.List() {
		if j.Feature == feature && j.Metric == metric {
			return j, nil
		}
	}
	return quality.JudgeStatus{}, quality.Errorf(quality.KindNotFound, "feature %.80q has no judge that makes %.80q", feature, metric)
}

// queueOf orders the samples that a person has not labelled by a hash of their ids: a random part of all, the same for
// everyone, so that the labels stand for all samples and two people label the same ones. It is pure.
func queueOf(list []quality.Judged, by string, skip []string) (queue []string, labelled int) {
	for i := range list {
		x := &list[i]
		mine := slices.ContainsFunc(x.Labels, func(l quality.HumanLabel) bool { return l.By == by })
		if len(x.Labels) > 0 {
			labelled++
		}
		if !mine && !slices.Contains(skip, x.Sample) && !slices.Contains(queue, x.Sample) {
			queue = append(queue, x.Sample)
		}
		if len(queue) >= queueLook {
			break
		}
	}
	slices.SortFunc(queue, func(a, b string) int {
		x, y := hashOf(a), hashOf(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		default:
			return strings.Compare(a, b)
		}
	})
	return queue, labelled
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // never fails
	return h.Sum64()
}

// scale lists the values of a judge's scale, where it has few whole ones.
func (c *Console) scale(feature, metric string) (out []float64) {
	lo, hi := 0.0, 1.0
	for _, f := range c.o.Features {
		for _, s := range f.Scorers {
			if f.Name == feature && s.Name == metric && s.Scale != nil {
				lo, hi = min(s.Scale[0], s.Scale[1]), max(s.Scale[0], s.Scale[1])
			}
		}
	}
	if hi-lo > 10 {
		return nil
	}
	for x := lo; x <= hi; x++ {
		out = append(out, x)
	}
	return out
}

func (c *Console) label(g *gin.Context) (view, error) {
	if err := parseForm(g); err != nil {
		return view{}, err
	}
	feature, metric, sample, skip := field(g, "feature"), field(g, "metric"), g.PostForm("sample"), field(g, "skip")
	next := labelURL(feature, metric) + "?skip=" + urlQuery(skip)
	if field(g, "act") == "skip" {
		return done(next, "skipped")
	}
	err := c.storeLabel(g, feature, metric, sample)
	if err == nil {
		return done(next, "labelled")
	}
	v, shown := c.labelOf(g, feature, metric, "", sample)
	if p, ok := v.Page.(*labelView); ok {
		p.Form.Value, p.Form.Explanation = field(g, "value"), text(g, "explanation")
	}
	return refused(v, shown, err, "value", "explanation")
}

func (c *Console) storeLabel(g *gin.Context, feature, metric, sample string) error {
	j, err := c.judge(feature, metric)
	if err != nil {
		return err
	}
	x, err := strconv.ParseFloat(field(g, "value"), 64)
	if err != nil || !finite(x) {
		return quality.Errorf(quality.KindInvalid, `field "value": want a number, got %.20q`, field(g, "value"))
	}
	ctx := g.Request.Context()
	return c.o.Judges.Label(ctx, quality.Feedback{Feature: feature, Sample: sample, Metric: j.Human, Value: &x, Explanation: text(g, "explanation"),
		By: c.o.Actor(ctx).ID, Kind: quality.FeedbackHuman, Time: c.o.Now()})
}
