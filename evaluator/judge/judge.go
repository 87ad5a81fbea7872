// Package judge scores samples by asking a language model at any OpenAI-compatible endpoint: on a scale by a
// rubric, or against a baseline answer in both orders.
//
// It owns the prompt, what counts as an answer, votes, the cache and the defence against outputs that address
// the judge (the attacks it is measured with are in testdata/attacks.json). It asks once: tries, budgets and
// which samples are asked about are the caller's. What the scores are worth is not decided here.
package judge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/openai/openai-go/v3"

	"github.com/asgood-dev/asgood/evaluator/remote"
	"github.com/asgood-dev/asgood/internal/quality"
)

// revision changes when the prompt, or how answers are read, changes its meaning.
const revision = 1

// LabelAddressed is the label of a score whose output tried to instruct the judge.
const LabelAddressed = "addressed_judge"

// Cache keeps answers by key. It may forget any of them.
type Cache interface {
	// Get returns what was put, and false when there is nothing.
	Get(ctx context.Context, key string) ([]byte, bool)
	// Put keeps data, as far as there is room.
	Put(ctx context.Context, key string, data []byte)
}

// Options configures a Judge.
type Options struct {
	Spec     quality.ScorerSpec  // of type judge, with RubricText
	Secret   []byte              // makes delimiters and check words that no output can know; required
	Cache    Cache               // nil means none
	Baseline Baseline            // pairwise: the answer to compare with where a sample has no reference; nil means none
	Spent    func(quality.Spend) // told of each call; nil means nobody
	Naive    bool                // without any defence, to measure what the defence is worth
}

// Baseline finds the answer that an output is compared with, and false when there is none. An error of kind
// unavailable passes, as one of Score does.
type Baseline func(ctx context.Context, s quality.Sample) (Compared, bool, error)

// Compared is an answer that an output is compared with.
type Compared struct {
	Text string
	From string // whose it is, in words that end a sentence
}

// Judge asks a model. It is safe for concurrent use.
type Judge struct {
	o       Options
	spec    quality.ScorerSpec
	lo, hi  float64
	version string
	chat    openai.ChatCompletionService
	plain   atomic.Bool // the endpoint refuses a schema of the answer

	pairs, swapped, first atomic.Int64
}

// New builds a judge. The error names the field that is wrong.
func New(o Options) (*Judge, error) {
	spec := o.Spec.AskingDefaults()
	switch {
	case spec.Type != quality.ScorerJudge:
		return nil, quality.Errorf(quality.KindInvalid, `field "type": want %s, got %q`, quality.ScorerJudge, spec.Type)
	case spec.Model == "" || spec.BaseURL == "":
		return nil, quality.Errorf(quality.KindInvalid, `fields "model" and "base_url": required`)
	case spec.RubricText == "":
		return nil, quality.Errorf(quality.KindInvalid, `field "rubric": required`)
	case len(o.Secret) == 0:
		return nil, errors.New("judge: Secret is required")
	}
	if o.Spent == nil {
		o.Spent = func(quality.Spend) {}
	}
	j := &Judge{o: o, spec: spec, hi: 1, version: Version(o.Spec), chat: openai.NewChatCompletionService(remote.OpenAI(&spec)...)}
	if spec.Mode == quality.JudgeSingle {
		j.lo, j.hi = spec.Scale[0], spec.Scale[1]
	}
	return j, nil
}

// Version returns a short hash of what decides what a judge says: rubric, scale, model, parameters, mode, votes
// and the revision of the prompt. Names, keys and addresses are left out.
func Version(spec quality.ScorerSpec) string {
	spec = spec.AskingDefaults()
	data, err := json.Marshal([]any{revision, spec.RubricText, spec.Scale, spec.Model, spec.Temperature, spec.MaxTokens, spec.Mode, spec.Votes, spec.Vote, spec.On})
	if err != nil { // texts and numbers of a checked configuration always marshal
		return spec.Type
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

// Version is the version of the judge's scores.
func (j *Judge) Version() string { return j.version }

// Calls is how many calls one sample takes, without those that ask again.
func (j *Judge) Calls() int {
	if j.spec.Mode == quality.JudgePairwise {
		return 2 * j.spec.Votes
	}
	return j.spec.Votes
}

// Close frees nothing: connections that rest are closed by themselves.
func (j *Judge) Close() error { return nil }

// Bias is how often the order of two answers decided between them.
type Bias struct {
	Pairs   int64 `json:"pairs"`   // asked in both orders
	Swapped int64 `json:"swapped"` // of those, judged otherwise in the other order
	First   int64 `json:"first"`   // of those, where the first answer won both times
}

// Bias returns what was counted since the judge was made.
func (j *Judge) Bias() Bias {
	return Bias{Pairs: j.pairs.Load(), Swapped: j.swapped.Load(), First: j.first.Load()}
}

// Detail is what the status of the scorer tells beside the rest.
func (j *Judge) Detail() any {
	if j.spec.Mode != quality.JudgePairwise {
		return nil
	}
	return map[string]any{"order": j.Bias()}
}

// Score returns the score of a sample, or none when there is nothing to judge: no output, or in pairwise mode
// no answer to compare with. A judge that gives no usable answer makes a failed score. An error of kind
// unavailable or too many passes.
func (j *Judge) Score(ctx context.Context, s quality.Sample) ([]quality.Score, error) {
	sc := quality.NewScore(&s, j.spec.Name, quality.ScorerJudge, j.version)
	sc.By = j.spec.Model
	c, ok, err := j.content(ctx, &s)
	if err == nil && !ok {
		return nil, nil
	}
	var v verdict
	if err == nil {
		v, err = j.verdict(ctx, c)
	}
	if err != nil {
		if remote.Passes(err) {
			return nil, err
		}
		sc.Error = err.Error()
		return []quality.Score{sc}, nil
	}
	sc.Value, sc.Label, sc.Explanation = v.Value, v.Label, v.Explanation
	if c.compared != "" {
		sc.Explanation = "Compared with " + c.compared + ". " + v.Explanation
	}
	return []quality.Score{sc}, nil
}

// verdict is what the judge says of a sample, as it is cached.
type verdict struct {
	Value       float64 `json:"value"`
	Label       string  `json:"label,omitempty"`
	Explanation string  `json:"explanation,omitempty"`
}

func (j *Judge) verdict(ctx context.Context, c content) (v verdict, err error) {
	key := j.version + "/" + c.hash
	if j.o.Naive {
		key = "naive/" + key
	}
	if j.o.Cache != nil {
		if data, ok := j.o.Cache.Get(ctx, key); ok && json.Unmarshal(data, &v) == nil {
			j.o.Spent(quality.Spend{Cached: j.Calls()})
			return v, nil
		}
	}
	if v, err = j.ask(ctx, c); err != nil {
		return v, err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return v, fmt.Errorf("encoding a verdict: %w", err)
	}
	if j.o.Cache != nil {
		j.o.Cache.Put(ctx, key, data)
	}
	return v, nil
}
