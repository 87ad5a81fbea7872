package explain

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/web"
)

// maxListed bounds a list of regressions.
const maxListed = 1000

// Listed is a regression in a list.
type Listed struct {
	quality.Regression
	Summary string `json:"summary"` // of its explanation
}

// Report is a regression with all that is known of it.
type Report struct {
	Regression  quality.Regression  `json:"regression"`
	Explanation quality.Explanation `json:"explanation"`
	Text        []string            `json:"text"` // the explanation in sentences
	Evidence    quality.Evidence    `json:"evidence"`
}

// shown is a report as it is answered: figures are rounded, and samples are what they are.
type shown struct {
	Regression  json.RawMessage  `json:"regression"`
	Explanation json.RawMessage  `json:"explanation"`
	Text        []string         `json:"text"`
	Evidence    quality.Evidence `json:"evidence"`
}

// Register adds GET /v1/regressions and GET /v1/regressions/:id. They show samples: they are for the
// internal listener alone.
func (s *Service) Register(r gin.IRouter) {
	r.GET("/v1/regressions", web.Handle(s.list))
	r.GET("/v1/regressions/:id", web.Handle(s.show))
}

// list answers with the regressions, those that are open first and of those the newest; ?feature= and
// ?open=true choose some.
func (s *Service) list(c *gin.Context) error {
	all, err := s.o.Regressions.All(c)
	if err != nil {
		return err
	}
	open, feature := c.Query("open"), c.Query("feature")
	if open != "" && open != "true" && open != "false" {
		return quality.Errorf(quality.KindInvalid, `parameter "open": want true or false, got %.40q`, open)
	}
	all = slices.DeleteFunc(all, func(r quality.Regression) bool {
		return feature != "" && r.Feature != feature || open != "" && r.Open() != (open == "true")
	})
	slices.SortFunc(all, newest)
	left := len(all) - min(len(all), maxListed)
	out := make([]Listed, 0, len(all)-left)
	for _, r := range all[:len(all)-left] {
		e, err := s.explanation(c, r)
		if err != nil {
			return err
		}
		out = append(out, Listed{Regression: r, Summary: strings.Join(e.Sentences(), " ")})
	}
	return web.JSON(c, http.StatusOK, gin.H{"regressions": out, "left_out": left})
}

func newest(a, b quality.Regression) int {
	if a.Open() != b.Open() {
		if a.Open() {
			return -1
		}
		return 1
	}
	return cmp.Or(b.DetectedAt.Compare(a.DetectedAt), cmp.Compare(a.ID, b.ID))
}

func (s *Service) show(c *gin.Context) error {
	report, err := s.Report(c, c.Param("id"))
	if err != nil {
		return err
	}
	answer := shown{Text: report.Text, Evidence: report.Evidence}
	if answer.Regression, err = web.Round(report.Regression); err != nil {
		return err
	}
	if answer.Explanation, err = web.Round(report.Explanation); err != nil {
		return err
	}
	c.JSON(http.StatusOK, answer)
	return nil
}

// Report returns all that is known of a regression, or an error of kind not found.
func (s *Service) Report(ctx context.Context, id string) (Report, error) {
	if id == "" || len(id) > quality.MaxNameLen {
		return Report{}, quality.Errorf(quality.KindNotFound, "no regression %.40q", id)
	}
	r, _, err := s.o.Regressions.Get(ctx, id)
	if err != nil {
		if quality.KindOf(err) == quality.KindNotFound {
			err = quality.Errorf(quality.KindNotFound, "no regression %q", id)
		}
		return Report{}, err
	}
	e, err := s.explanation(ctx, r)
	if err != nil {
		return Report{}, err
	}
	ev, _, err := s.o.Evidence.Get(ctx, id)
	if err != nil && quality.KindOf(err) != quality.KindNotFound {
		return Report{}, err
	}
	if ev.Examples == nil {
		ev = quality.Evidence{Regression: id, Examples: []quality.Example{}}
	}
	return Report{Regression: r, Explanation: e, Text: e.Sentences(), Evidence: ev}, nil
}

// Sentences returns the explanation of a regression for people inside, nothing while there is none.
func (s *Service) Sentences(ctx context.Context, id string) []string {
	e, _, err := s.o.Explanations.Get(ctx, id)
	if err != nil || e.At.IsZero() {
		return nil
	}
	return e.Sentences()
}

func (s *Service) explanation(ctx context.Context, r quality.Regression) (quality.Explanation, error) {
	e, _, err := s.o.Explanations.Get(ctx, r.ID)
	if err != nil && quality.KindOf(err) == quality.KindNotFound {
		return quality.Explanation{Regression: r.ID, Feature: r.Feature, Metric: r.Metric, Unknown: 1}, nil
	}
	return e, err
}
