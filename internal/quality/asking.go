package quality

import (
	"strings"
	"time"
)

// The types of scorers that ask something outside the process.
const (
	ScorerJudge     = "judge"     // a language model
	ScorerEmbedding = "embedding" // similarity of embeddings to the reference
	ScorerHTTP      = "http"      // any endpoint
	ScorerCommand   = "command"   // a program
	ScorerWasm      = "wasm"      // a WebAssembly module
)

// AskPrice is what asking costs, in the currency of the bill.
type AskPrice struct {
	Input  float64 `yaml:"input"`  // of a million input tokens
	Output float64 `yaml:"output"` // of a million output tokens
	Call   float64 `yaml:"call"`   // of one call, beside its tokens
}

// Defaults of a scorer that asks.
const (
	askConcurrency = 4
	askTimeout     = 30 * time.Second
	askPatience    = 15 * time.Minute
	askMemoryMB    = 512
	wasmMemoryMB   = 64
)

// AskingScorers lists the types of scorers that ask something outside the process.
func AskingScorers() []string {
	return []string{ScorerJudge, ScorerEmbedding, ScorerHTTP, ScorerCommand, ScorerWasm}
}

// Asks reports whether the scorer asks something outside the process, so that its scores come apart from
// their samples.
func (s *ScorerSpec) Asks() bool {
	switch s.Type {
	case ScorerJudge, ScorerEmbedding, ScorerHTTP, ScorerCommand, ScorerWasm:
		return true
	}
	return false
}

// AskingDefaults returns the scorer with what it left out filled in, where it is one that asks.
func (s ScorerSpec) AskingDefaults() ScorerSpec {
	if !s.Asks() {
		return s
	}
	s.Concurrency = positive(s.Concurrency, askConcurrency)
	s.Timeout = positive(s.Timeout, askTimeout)
	s.Patience = positive(s.Patience, askPatience)
	if s.Rate == nil {
		s.Rate = new(1.0)
	}
	switch s.Type {
	case ScorerJudge:
		s.Votes = positive(s.Votes, 1)
		if s.Mode == "" {
			s.Mode = JudgeSingle
		}
		if s.Vote == "" {
			s.Vote = VoteMedian
		}
		if s.Mode == JudgeSingle && s.Scale == nil {
			s.Scale = &[2]float64{1, 5}
		}
	case ScorerCommand:
		s.MemoryMB = positive(s.MemoryMB, askMemoryMB)
	case ScorerWasm:
		s.MemoryMB = positive(s.MemoryMB, wasmMemoryMB)
	}
	return s
}

// The modes of a judge, and how its votes become one score.
const (
	JudgeSingle   = "single"   // scores an answer on the scale
	JudgePairwise = "pairwise" // says which of two answers is better, in both orders
	VoteMedian    = "median"
	VoteMean      = "mean"
)

// Endpoint names what is asked, without anything secret.
func (s *ScorerSpec) Endpoint() string {
	switch {
	case s.BaseURL != "":
		return urlLabel(s.BaseURL)
	case s.URL != "":
		return urlLabel(s.URL)
	case len(s.Command) > 0:
		return s.Command[0][strings.LastIndexByte(s.Command[0], '/')+1:]
	case s.Module != "":
		return s.Module[strings.LastIndexByte(s.Module, '/')+1:]
	default:
		return ""
	}
}

// Spend is what asking for the scores of a sample took.
type Spend struct {
	Calls        int     `json:"calls"`
	Cached       int     `json:"cached"` // answers that were known already
	InputTokens  int64   `json:"input_tokens"`
	OutputTokens int64   `json:"output_tokens"`
	Cost         float64 `json:"cost"` // in the currency of the configured prices
}

// Add adds another spend.
func (s *Spend) Add(o Spend) {
	s.Calls += o.Calls
	s.Cached += o.Cached
	s.InputTokens += o.InputTokens
	s.OutputTokens += o.OutputTokens
	s.Cost += o.Cost
}

// Of returns what a call with so many tokens takes.
func (p AskPrice) Of(input, output int64) Spend {
	return Spend{Calls: 1, InputTokens: input, OutputTokens: output,
		Cost: p.Call + float64(input)*p.Input/1e6 + float64(output)*p.Output/1e6}
}

// NewScore returns a score of a sample without a value: with the sample's time, slices and weight. It came
// apart from its sample. One of a whole conversation has no source: its metric has no other scores, and it is of
// what customers had.
func NewScore(s *Sample, metric, scorer, version string) Score {
	source := s.Source
	if source == SourceConversation {
		source = ""
	}
	return Score{
		Feature: s.Feature, SampleID: s.ID, Time: s.Time, Metric: metric, Scorer: scorer, Version: version,
		Weight: s.KeptWeight(), Customer: s.Customer, Model: s.Model, Prompt: s.Prompt, Source: source,
		Attributes: s.Attributes, Late: true,
	}
}
