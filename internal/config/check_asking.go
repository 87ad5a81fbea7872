package config

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// askingFields are those that every scorer takes that asks something outside the process.
var askingFields = []string{"price", "budget", "rate", "concurrency", "timeout", "patience"}

// Bounds of a scorer that asks.
const (
	maxVotes          = 15
	maxAskTokens      = 1 << 20
	maxAskConcurrency = 64
	minAskTimeout     = time.Second
	maxAskTimeout     = 10 * time.Minute
	minPatience       = time.Minute
	maxPatience       = 24 * time.Hour
	minMemoryMB       = 16
	maxMemoryMB       = 64 << 10
	maxArguments      = 64
)

func (d *decoder) checkAsking(s *quality.ScorerSpec, path string) {
	if !s.Asks() {
		return
	}
	d.checkAskingNumbers(s, path)
	switch s.Type {
	case quality.ScorerJudge:
		d.checkAskedModel(s, path)
		d.checkJudge(s, path)
		d.loadRubric(s, path+".rubric")
	case quality.ScorerEmbedding:
		d.checkAskedModel(s, path)
	case quality.ScorerHTTP:
		if !isWebURL(s.URL) && !d.failed(path+".url") {
			d.hidden(path+".url", "want a URL such as https://scores.example.com/score")
		}
		d.checkHeaders(s.Headers, path+".headers")
	case quality.ScorerCommand:
		d.checkCommand(s, path)
	case quality.ScorerWasm:
		d.checkWasm(s, path)
	}
}

func (d *decoder) checkAskedModel(s *quality.ScorerSpec, path string) {
	if !isWebURL(s.BaseURL) && !d.failed(path+".base_url") {
		d.hidden(path+".base_url", "want a URL such as https://api.example.com/v1")
	}
	if (s.Model == "" || len(s.Model) > quality.MaxNameLen) && !d.failed(path+".model") {
		d.hidden(path+".model", "required: the name of a model, at most %d bytes", quality.MaxNameLen)
	}
	d.checkKey(s.APIKey, path+".api_key")
}

func (d *decoder) checkAskingNumbers(s *quality.ScorerSpec, path string) {
	d.within(path+".votes", s.Votes, 1, maxVotes)
	d.within(path+".max_tokens", s.MaxTokens, 1, maxAskTokens)
	d.within(path+".concurrency", s.Concurrency, 1, maxAskConcurrency)
	d.within(path+".memory_mb", s.MemoryMB, minMemoryMB, maxMemoryMB)
	d.lasts(path+".timeout", s.Timeout, minAskTimeout, maxAskTimeout)
	d.lasts(path+".patience", s.Patience, minPatience, maxPatience)
	if s.Rate != nil && !(*s.Rate > 0 && *s.Rate <= 1) && !d.failed(path+".rate") {
		d.bad(path+".rate", "want more than 0 and at most 1")
	}
	for name, v := range map[string]float64{"input": s.Price.Input, "output": s.Price.Output, "call": s.Price.Call} {
		if p := path + ".price." + name; !(v >= 0 && v <= 1e6) && !d.failed(p) {
			d.bad(p, "want 0 to 1000000")
		}
	}
	if p := path + ".budget"; d.has(p) && !d.failed(p) {
		one := max(1, s.Votes)
		if s.Mode == quality.JudgePairwise {
			one *= 2
		}
		if s.Budget.N < one {
			d.bad(p, "one sample takes %d calls: want %d or more", one, one)
		}
	}
}

// within checks a number that the file gives.
func (d *decoder) within(path string, v, least, most int) {
	if d.has(path) && !d.failed(path) && (v < least || v > most) {
		d.bad(path, "want %d to %d", least, most)
	}
}

// lasts checks a duration that the file gives.
func (d *decoder) lasts(path string, v, least, most time.Duration) {
	if d.has(path) && !d.failed(path) && (v < least || v > most) {
		d.bad(path, "want %s to %s", least, most)
	}
}

func (d *decoder) checkJudge(s *quality.ScorerSpec, path string) {
	if s.Mode != "" && s.Mode != quality.JudgeSingle && s.Mode != quality.JudgePairwise {
		d.bad(path+".mode", "want single or pairwise")
	}
	if s.Vote != "" && s.Vote != quality.VoteMedian && s.Vote != quality.VoteMean {
		d.bad(path+".vote", "want median or mean")
	}
	if t := s.Temperature; t != nil && !(*t >= 0 && *t <= 2) {
		d.bad(path+".temperature", "want 0 to 2")
	}
	if s.Scale == nil || d.failed(path+".scale") {
		return
	}
	switch lo, hi := s.Scale[0], s.Scale[1]; {
	case s.Mode == quality.JudgePairwise:
		d.bad(path+".scale", "has no effect in mode pairwise: 1 is better than the baseline answer, 0 is worse, 0.5 is alike")
	case !(lo < hi) || math.Abs(lo) > 1e6 || math.Abs(hi) > 1e6:
		d.bad(path+".scale", "want the worst score first, then the best, such as [1, 5]")
	}
}

const maxRubric = 64 << 10

// loadRubric reads a rubric from beside the configuration into the scorer.
func (d *decoder) loadRubric(s *quality.ScorerSpec, path string) {
	if d.failed(path) {
		return
	}
	if s.Rubric == "" {
		d.bad(path, "required: a file that says what is good and what is bad")
		return
	}
	text, err := readSmall(beside(filepath.Dir(d.file), s.Rubric))
	if err != nil {
		// The library's words repeat the path, and a variable may have given it.
		if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		d.bad(path, "reading the rubric beside the configuration: %v", err)
		return
	}
	if len(text) > maxRubric || strings.TrimSpace(string(text)) == "" {
		d.bad(path, "the file has %d bytes, want 1 to %d", len(text), maxRubric)
		return
	}
	s.RubricText = strings.ToValidUTF8(string(text), "\uFFFD")
}

func (d *decoder) checkCommand(s *quality.ScorerSpec, path string) {
	if p := path + ".command"; !d.failed(p) {
		switch {
		case len(s.Command) == 0 || s.Command[0] == "":
			d.bad(p, "required: a program and its arguments, as a list")
		case len(s.Command) > maxArguments:
			d.bad(p, "%d entries, at most %d", len(s.Command), maxArguments)
		}
	}
	for name, value := range s.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.IndexByte(value, 0) >= 0 {
			d.hidden(fmt.Sprintf("%s.env", path), "want names without \"=\", and no zero bytes")
		}
	}
}
