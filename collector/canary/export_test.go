package canary

import (
	"context"
	"net/http"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

type askFunc func(ctx context.Context, p *quality.CanaryPrompt) (string, error)

func (f askFunc) ask(ctx context.Context, p *quality.CanaryPrompt) (answer, error) {
	text, err := f(ctx, p)
	if err != nil {
		return answer{}, err
	}
	a := answer{}
	a.output, err = outputOf(text)
	return a, err
}

func (askFunc) rest() {}

// Replace puts fn in the place of every endpoint: bubbles of synctest have no sockets.
func Replace(k *Keeper, fn func(ctx context.Context, p *quality.CanaryPrompt) (string, error)) {
	for _, c := range k.canaries {
		c.asker = askFunc(fn)
	}
}

// Refuse makes a failure that another try may mend.
func Refuse(after time.Duration) error {
	return &failure{text: "status 429", again: true, after: after}
}

// The pure parts.
var (
	Due        = quality.DueSlot
	JitterOf   = quality.JitterOf
	SpreadOf   = spreadOf
	RetryAfter = retryAfter
	Depth      = depth
)

// ReadCompletion reads an answer of the chat completions as a sample would hold it.
func ReadCompletion(data []byte) (quality.Sample, error) {
	return sampleOf(readCompletion(data, http.Header{}))
}

// ReadPaths reads an answer by the paths of an endpoint.
func ReadPaths(h *quality.CanaryHTTP, data []byte) (quality.Sample, error) {
	p, err := parsePaths(h)
	if err != nil {
		return quality.Sample{}, err
	}
	return sampleOf(p.read(data, http.Header{}))
}

func sampleOf(a answer, err error) (quality.Sample, error) {
	return quality.Sample{Feature: "chat", Output: a.output, Tools: a.tools, Context: a.context, Model: a.model, Usage: a.usage}, err
}
