package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
)

// scoreRecord is the wire format of POST /v1/scores: feedback, or one of its short forms.
type scoreRecord struct {
	quality.Feedback
	Thumbs string  `json:"thumbs,omitempty"` // up or down: metric thumbs, 1 or 0
	Edit   *string `json:"edit,omitempty"`   // what a person made of the output: metric edited, 1
}

// The metrics of the short forms.
const (
	metricThumbs = "thumbs"
	metricEdited = "edited"
)

// feedback spells the short forms out.
func (r scoreRecord) feedback() (quality.Feedback, error) {
	f := r.Feedback
	if r.Thumbs == "" && r.Edit == nil {
		return f, nil
	}
	if f.Metric != "" || f.Value != nil || r.Thumbs != "" && r.Edit != nil {
		return f, quality.Errorf(quality.KindInvalid, `want one of "thumbs", "edit", and "metric" with "value"`)
	}
	one, zero := 1.0, 0.0
	switch {
	case r.Edit != nil:
		f.Metric, f.Value, f.Explanation = metricEdited, &one, *r.Edit
	case r.Thumbs == "up":
		f.Metric, f.Value = metricThumbs, &one
	case r.Thumbs == "down":
		f.Metric, f.Value = metricThumbs, &zero
	default:
		return f, quality.Errorf(quality.KindInvalid, `field "thumbs": want up or down, got %.20q`, r.Thumbs)
	}
	if f.Kind == quality.FeedbackUnknown {
		f.Kind = quality.FeedbackUser
	}
	return f, nil
}

// postScores takes scores that come apart from their samples. They are durable when it answers; which
// sample each belongs to is found out afterwards, also when the sample comes later.
func (c *Collector) postScores(g *gin.Context) {
	result := Result{Rejected: []Rejection{}}
	if err := c.opts.Room(); err != nil {
		c.reply(g, result, err)
		return
	}
	records, bodyErr := c.readScores(&result, g.Request)
	storeErr := c.takeFeedback(g.Request.Context(), records)
	if storeErr == nil {
		result.Accepted = len(records)
	} else {
		c.metrics.refused.WithLabelValues(failReason(storeErr)).Add(float64(len(records)))
	}
	c.reply(g, result, firstError(storeErr, bodyErr, result.err("scores")))
}

func (c *Collector) readScores(result *Result, r *http.Request) (out []quality.Feedback, err error) {
	body, err := openBody(r)
	if err != nil {
		return nil, err
	}
	recs, err := newRecords(body, r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	var dec decoder[scoreRecord]
	for {
		rec, err := recs.next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, atPlace(recs.where(), err)
		}
		if err := c.opts.Guard.Spend(r.Context(), 1); err != nil {
			return out, atPlace(rec.at, err)
		}
		f, err := c.readScore(r.Context(), &dec, rec)
		if err != nil {
			result.reject(rec.at, err)
			c.metrics.countRefusal(err)
			continue
		}
		out = append(out, f)
	}
}

func (c *Collector) readScore(ctx context.Context, dec *decoder[scoreRecord], rec record) (quality.Feedback, error) {
	if rec.err != nil {
		return quality.Feedback{}, rec.err
	}
	r, err := dec.decode(rec.data)
	if err != nil {
		return quality.Feedback{}, err
	}
	f, err := r.feedback()
	if err != nil {
		return f, err
	}
	if err := f.Validate(); err != nil {
		return f, err
	}
	if err := c.opts.Guard.Allow(ctx, f.Feature); err != nil {
		return f, err
	}
	if f.Feature != "" {
		err = c.features.check(f.Feature)
	}
	return f, err
}

// takeFeedback makes feedback durable.
func (c *Collector) takeFeedback(ctx context.Context, list []quality.Feedback) error {
	records := make([][]byte, len(list))
	for i := range list {
		if list[i].Time.IsZero() {
			list[i].Time = c.opts.Now()
		}
		c.redact.feedback(&list[i])
		data, err := json.Marshal(list[i])
		if err != nil {
			return fmt.Errorf("encoding a score of metric %q: %w", list[i].Metric, err)
		}
		records[i] = data
	}
	return c.feedback.put(ctx, records)
}

// score is the feedback as a score of its sample, which gives it its time and slices.
func score(f *quality.Feedback, sample quality.SampleKey, x facts) quality.Score {
	s := quality.Score{
		Feature: sample.Feature, SampleID: sample.ID, Time: x.Time, Metric: f.Metric, Label: f.Label,
		Explanation: f.Explanation, Error: f.Error, Scorer: scorerOf(f.Kind), Version: f.By, By: f.By, Late: true,
		Weight: max(x.Weight, 1), Customer: x.Customer, Model: x.Model, Prompt: x.Prompt, Source: x.Source, Attributes: x.Attributes,
	}
	if f.Value != nil {
		s.Value = *f.Value
	}
	return s
}

// scorerOf names what made a score by the kind of the feedback.
func scorerOf(k quality.FeedbackKind) string {
	if k == quality.FeedbackUnknown {
		return "external"
	}
	return string(k)
}

// orphanTime is how long feedback waits for a sample that has not come.
const orphanTime = 24 * time.Hour
