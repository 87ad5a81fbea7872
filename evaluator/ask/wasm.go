package ask

import (
	"context"
	"crypto/sha256"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wasm"
	"github.com/asgood-dev/asgood/internal/wire"
)

// wasmScorer scores with a WebAssembly module: a sample as JSON in, scores as JSON out.
type wasmScorer struct {
	*reader
	spec   quality.ScorerSpec
	spent  func(quality.Spend)
	module *wasm.Module
}

// NewWasm returns a scorer that runs a WebAssembly module for each sample, behind the walls of package wasm. The
// module is compiled once, and each sample has an instance of its own.
func NewWasm(spec quality.ScorerSpec, spent func(quality.Spend)) (Scorer, error) {
	module, err := wasm.New(context.Background(), spec.ModuleCode, spec.MemoryMB)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "compiling the module of scorer %q: %w", spec.Name, err)
	}
	w := &wasmScorer{spec: spec, spent: spent, module: module}
	// How much memory it may have says whether there is a score, and not what it is.
	w.reader = newReader(&w.spec, hashOf(spec.Type, sha256.Sum256(spec.ModuleCode)))
	return w, nil
}

// Score implements Scorer.
func (w *wasmScorer) Score(ctx context.Context, s quality.Sample) ([]quality.Score, error) {
	body, err := wire.Marshal(&s)
	if err != nil {
		return nil, quality.Errorf(quality.KindInvalid, "encoding the sample: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, w.spec.Timeout)
	defer cancel()
	w.spent(w.spec.Price.Of(0, 0))
	data, err := w.module.Run(ctx, append(body, '\n'))
	switch {
	case ctx.Err() != nil:
		return nil, quality.Errorf(quality.KindInvalid, "no answer within %s", w.spec.Timeout)
	case err != nil:
		return nil, quality.Errorf(quality.KindInvalid, "%w", err)
	}
	return w.read(&s, data)
}

// Version implements Scorer.
func (w *wasmScorer) Version() string { return w.version }

// Calls implements Scorer.
func (w *wasmScorer) Calls() int { return 1 }

// Close implements Scorer.
func (w *wasmScorer) Close() error { return w.module.Close() }
