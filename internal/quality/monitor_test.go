package quality_test

import (
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestChosenByProduct(t *testing.T) {
	for name, want := range map[string]bool{
		"model": true, "Model": true, "MODEL": true, "prompt": true, "tools": true, "index": true, "retrieval_index": true,
		"gen_ai.request.model": true, "Gen_AI.Response.Model": true,
		"": false, "language": false, "customer": false, "models": false, "prompt_length": false, "gen_ai.conversation.id": false,
	} {
		if got := quality.ChosenByProduct(name); got != want {
			t.Errorf("%q: got %t, want %t", name, got, want)
		}
	}
}
