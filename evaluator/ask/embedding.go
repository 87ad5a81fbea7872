package ask

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"

	"github.com/openai/openai-go/v3"

	"github.com/asgood-dev/asgood/evaluator/remote"
	"github.com/asgood-dev/asgood/internal/quality"
)

// Cache keeps answers by key. It may forget any of them.
type Cache interface {
	// Get returns what was put, and false when there is nothing.
	Get(ctx context.Context, key string) ([]byte, bool)
	// Put keeps data, as far as there is room.
	Put(ctx context.Context, key string, data []byte)
}

const maxEmbedded = 24 << 10 // bytes of a text

// embedding scores the similarity of output and reference, as the cosine of their embeddings.
type embedding struct {
	spec    quality.ScorerSpec
	version string
	api     openai.EmbeddingService
	cache   Cache
	spent   func(quality.Spend)
}

// NewEmbedding returns a scorer of similarity to the reference: the cosine of the two embeddings, from -1 to 1.
// A sample without reference is not scored.
func NewEmbedding(spec quality.ScorerSpec, cache Cache, spent func(quality.Spend)) Scorer {
	return &embedding{spec: spec, cache: cache, spent: spent, api: openai.NewEmbeddingService(remote.OpenAI(&spec)...),
		version: hashOf(spec.Type, spec.Model, spec.On)}
}

func hashOf(parts ...any) string {
	data, err := json.Marshal(parts)
	if err != nil { // texts and numbers of a checked configuration always marshal
		return "unknown"
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

// Score implements Scorer.
func (e *embedding) Score(ctx context.Context, s quality.Sample) ([]quality.Score, error) {
	if s.Reference == nil {
		return nil, nil
	}
	texts := [2]string{Clip(e.spec.Read(s.Output), maxEmbedded), Clip(*s.Reference, maxEmbedded)}
	value, err := e.similarity(ctx, texts)
	if err != nil {
		return nil, err
	}
	sc := quality.NewScore(&s, e.spec.Name, e.spec.Type, e.version)
	sc.Value, sc.By = value, e.spec.Model
	return []quality.Score{sc}, nil
}

func (e *embedding) similarity(ctx context.Context, texts [2]string) (value float64, err error) {
	if texts[0] == texts[1] {
		return 1, nil
	}
	if texts[0] == "" || texts[1] == "" {
		return 0, quality.Errorf(quality.KindInvalid, "an empty text has no embedding")
	}
	key := e.version + "/" + hashOf(texts) + hashOf(texts[1], texts[0])
	if e.cache != nil {
		if data, ok := e.cache.Get(ctx, key); ok && json.Unmarshal(data, &value) == nil {
			e.spent(quality.Spend{Cached: 1})
			return value, nil
		}
	}
	if value, err = e.ask(ctx, texts); err != nil {
		return 0, err
	}
	if data, err := json.Marshal(value); err == nil && e.cache != nil {
		e.cache.Put(ctx, key, data)
	}
	return value, nil
}

func (e *embedding) ask(ctx context.Context, texts [2]string) (float64, error) {
	res, err := e.api.New(ctx, openai.EmbeddingNewParams{Model: e.spec.Model,
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts[:]}})
	if err == nil && res == nil { // the answer is null
		err = remote.ErrNothing
	}
	if err != nil {
		e.spent(e.spec.Price.Of(0, 0))
		return 0, remote.Fault(err, e.spec.Timeout)
	}
	e.spent(e.spec.Price.Of(remote.Tokens(res.Usage.PromptTokens), 0))
	if len(res.Data) != 2 {
		return 0, quality.Errorf(quality.KindInvalid, "%d embeddings for two texts", len(res.Data))
	}
	return cosine(res.Data[0].Embedding, res.Data[1].Embedding)
}

func cosine(a, b []float64) (float64, error) {
	if len(a) == 0 || len(a) != len(b) {
		return 0, quality.Errorf(quality.KindInvalid, "embeddings of %d and %d numbers", len(a), len(b))
	}
	var dot, aa, bb float64
	for i := range a {
		dot, aa, bb = dot+a[i]*b[i], aa+a[i]*a[i], bb+b[i]*b[i]
	}
	if !(aa > 0 && bb > 0) || math.IsInf(aa, 0) || math.IsInf(bb, 0) {
		return 0, quality.Errorf(quality.KindInvalid, "an embedding has no direction")
	}
	return min(1, max(-1, dot/math.Sqrt(aa)/math.Sqrt(bb))), nil
}

// Version implements Scorer.
func (e *embedding) Version() string { return e.version }

// Calls implements Scorer.
func (e *embedding) Calls() int { return 1 }

// Close implements Scorer.
func (e *embedding) Close() error { return nil }
