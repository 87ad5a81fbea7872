package judge

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"github.com/asgood-dev/asgood/evaluator/remote"
	"github.com/asgood-dev/asgood/internal/quality"
)

// ask gathers the votes. More than half must be usable.
func (j *Judge) ask(ctx context.Context, c content) (verdict, error) {
	var values []float64
	var answers []answer
	var last error
	for range j.spec.Votes {
		value, a, err := j.vote(ctx, &c)
		if err != nil {
			if remote.Passes(err) {
				return verdict{}, err
			}
			last = err
			continue
		}
		values, answers = append(values, value), append(answers, a)
	}
	if 2*len(values) <= j.spec.Votes {
		return verdict{}, last
	}
	return j.together(values, answers, &c), nil
}

// together makes one verdict of the votes, with the words of the one nearest to it.
func (j *Judge) together(values []float64, answers []answer, c *content) verdict {
	v := verdict{Value: mean(values)}
	if j.spec.Vote == quality.VoteMedian {
		v.Value = median(values)
	}
	nearest, addressed := 0, c.addressed
	for i := range values {
		if math.Abs(values[i]-v.Value) < math.Abs(values[nearest]-v.Value) {
			nearest = i
		}
		addressed = addressed || answers[i].Addressed
	}
	v.Label, v.Explanation = answers[nearest].Label, answers[nearest].Explanation
	if addressed && !j.o.Naive {
		v.Label = LabelAddressed
	}
	if len(values) > 1 {
		v.Explanation = fmt.Sprintf("%d votes from %g to %g. %s", len(values), slices.Min(values), slices.Max(values), v.Explanation)
	}
	return v
}

func mean(values []float64) (m float64) {
	for _, v := range values {
		m += v / float64(len(values))
	}
	return m
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// vote is one vote: a score, or in pairwise mode 1 when the output is better than the baseline, 0 when it is
// worse, 0.5 when they are alike or the order decides.
func (j *Judge) vote(ctx context.Context, c *content) (float64, answer, error) {
	if j.spec.Mode == quality.JudgeSingle {
		a, err := j.exchange(ctx, c, j.user(c, [2]string{"ANSWER", c.output}))
		return a.Score.v, a, err
	}
	a, err := j.exchange(ctx, c, j.user(c, [2]string{"FIRST ANSWER", c.output}, [2]string{"SECOND ANSWER", c.baseline}))
	if err != nil {
		return 0, a, err
	}
	b, err := j.exchange(ctx, c, j.user(c, [2]string{"FIRST ANSWER", c.baseline}, [2]string{"SECOND ANSWER", c.output}))
	if err != nil {
		return 0, b, err
	}
	return j.compare(a, b), merged(a, b), nil
}

func merged(a, b answer) answer {
	a.Addressed = a.Addressed || b.Addressed
	a.Label = a.Better + "/" + b.Better
	return a
}

var worth = map[string]float64{"first": 1, "tie": 0.5, "second": 0}

// compare joins the verdicts of both orders. One that the order decides is a tie.
func (j *Judge) compare(a, b answer) float64 {
	j.pairs.Add(1)
	forward, backward := worth[a.Better], 1-worth[b.Better]
	if forward == backward {
		return forward
	}
	j.swapped.Add(1)
	if a.Better == "first" && b.Better == "first" {
		j.first.Add(1)
	}
	return 0.5
}

// exchange asks, and once more when the answer is not usable.
func (j *Judge) exchange(ctx context.Context, c *content, user string) (answer, error) {
	messages := []openai.ChatCompletionMessageParamUnion{openai.SystemMessage(j.system(c)), openai.UserMessage(user)}
	text, err := j.call(ctx, messages)
	if err != nil {
		return answer{}, err
	}
	a, bad := j.read(text, c)
	if bad == nil {
		return a, nil
	}
	// What was said is not repeated: it may be what an output made the judge say.
	messages = append(messages, openai.UserMessage("Your answer was not usable: "+bad.Error()+". Grade again, and answer with the JSON object: "+j.form()))
	if text, err = j.call(ctx, messages); err != nil {
		return answer{}, err
	}
	if a, bad = j.read(text, c); bad != nil {
		return answer{}, quality.Errorf(quality.KindInvalid, "the judge gave no usable answer: %w", bad)
	}
	return a, nil
}

// call makes one call. An endpoint that refuses a schema of the answer is asked without one from then on.
func (j *Judge) call(ctx context.Context, messages []openai.ChatCompletionMessageParamUnion) (string, error) {
	strict := !j.plain.Load()
	text, err := j.complete(ctx, messages, strict)
	if status := remote.StatusOf(err); strict && (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity) {
		if text, err = j.complete(ctx, messages, false); err == nil {
			j.plain.Store(true)
		}
	}
	return text, err
}

func (j *Judge) complete(ctx context.Context, messages []openai.ChatCompletionMessageParamUnion, strict bool) (string, error) {
	p := openai.ChatCompletionNewParams{Model: j.spec.Model, Messages: messages}
	if j.spec.Temperature != nil {
		p.Temperature = param.NewOpt(*j.spec.Temperature)
	}
	if j.spec.MaxTokens > 0 {
		p.MaxTokens = param.NewOpt(int64(j.spec.MaxTokens))
	}
	if strict {
		p.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "grade", Strict: param.NewOpt(true), Schema: j.schema()}}}
	}
	res, err := j.chat.New(ctx, p)
	if err == nil && res == nil { // the answer is null
		err = remote.ErrNothing
	}
	if err != nil {
		j.o.Spent(j.spec.Price.Of(0, 0))
		return "", remote.Fault(err, j.spec.Timeout)
	}
	j.o.Spent(j.spec.Price.Of(remote.Tokens(res.Usage.PromptTokens), remote.Tokens(res.Usage.CompletionTokens)))
	if len(res.Choices) == 0 {
		return "", quality.Errorf(quality.KindInvalid, "the answer holds no choices")
	}
	if m := res.Choices[0].Message; strings.TrimSpace(m.Content) == "" && m.Refusal != "" {
		return "", quality.Errorf(quality.KindInvalid, "the model refused to grade")
	}
	return res.Choices[0].Message.Content, nil
}

// schema is the JSON Schema of the answer. The explanation comes first: a model that has said why grades better.
func (j *Judge) schema() map[string]any {
	fields := []string{"explanation", "score", "label"}
	of := map[string]any{
		"explanation": map[string]any{"type": "string"}, "label": map[string]any{"type": "string"},
		"score": map[string]any{"type": "number"}, "better": map[string]any{"type": "string", "enum": []string{"first", "second", "tie"}},
		"addressed_judge": map[string]any{"type": "boolean"}, "check": map[string]any{"type": "string"},
	}
	if j.spec.Mode == quality.JudgePairwise {
		fields = []string{"explanation", "better"}
	}
	if !j.o.Naive {
		fields = append(fields, "addressed_judge", "check")
	}
	properties := map[string]any{}
	for _, f := range fields {
		properties[f] = of[f]
	}
	return map[string]any{"type": "object", "properties": properties, "required": fields, "additionalProperties": false}
}
