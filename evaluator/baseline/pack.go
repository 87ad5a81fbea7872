package baseline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"bytes"
	"compress/gzip"

	"github.com/asgood-dev/asgood/internal/quality"
)

// packed are scores by column, with what belongs to each by its number in a list.
type packed struct {
	Feature string     `json:"feature"` // so that two metrics with the same scores do not share documents, which one may give up
	Metric  string     `json:"metric"`
	Scorer  string     `json:"scorer"`
	Version string     `json:"version"`
	Names   []string   `json:"names"` // of the attributes that the monitor looks at
	Sets    [][]string `json:"sets"`  // their values
	Set     []int      `json:"set"`
	Times   []int64    `json:"times"` // microseconds since the score before
	Values  []float64  `json:"values"`
	Weights []float64  `json:"weights"`
}

// maxPacked bounds what the documents of a baseline may unpack to.
const maxPacked = 256 << 20

// pack writes scores down with no more than a monitor needs. The same scores give the same bytes.
func pack(feature string, m *quality.MonitorSpec, scores []quality.Score) ([]byte, error) {
	p := packed{Feature: feature, Metric: m.Metric, Scorer: scores[0].Scorer, Version: scores[0].Version}
	p.Names = slices.Compact(slices.Sorted(slices.Values(append(append([]string{"source"}, m.Slices...), m.Adjust...))))
	known, last := map[string]int{}, int64(0)
	for i := range scores {
		sc := &scores[i]
		set := make([]string, len(p.Names))
		for j, name := range p.Names {
			set[j] = attribute(sc, name)
		}
		key := strings.Join(set, "\x00")
		if _, ok := known[key]; !ok {
			known[key] = len(p.Sets)
			p.Sets = append(p.Sets, set)
		}
		at := sc.Time.UnixMicro()
		p.Set, p.Times = append(p.Set, known[key]), append(p.Times, at-last)
		p.Values, p.Weights, last = append(p.Values, sc.Value), append(p.Weights, max(sc.Weight, 1)), at
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(p); err != nil {
		return nil, fmt.Errorf("packing the scores of a baseline: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("packing the scores of a baseline: %w", err)
	}
	return b.Bytes(), nil
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// unpack reads what pack wrote.
func unpack(feature, metric string, data []byte) ([]quality.Score, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("unpacking the scores of a baseline: %w", err)
	}
	var p packed
	if err := json.NewDecoder(io.LimitReader(z, maxPacked)).Decode(&p); err != nil {
		return nil, fmt.Errorf("unpacking the scores of a baseline: %w", err)
	}
	n := len(p.Values)
	if n > quality.MaxBaseline || len(p.Set) != n || len(p.Times) != n || len(p.Weights) != n {
		return nil, quality.Errorf(quality.KindInvalid, "unpacking the scores of a baseline: columns of different lengths, or too long")
	}
	out, at := make([]quality.Score, n), int64(0)
	for i := range out {
		if at += p.Times[i]; p.Set[i] < 0 || p.Set[i] >= len(p.Sets) || len(p.Sets[p.Set[i]]) != len(p.Names) {
			return nil, quality.Errorf(quality.KindInvalid, "unpacking the scores of a baseline: score %d names what is not there", i+1)
		}
		out[i] = quality.Score{Feature: feature, Metric: metric, Scorer: p.Scorer, Version: p.Version, Time: time.UnixMicro(at).UTC(),
			Value: p.Values[i], Weight: p.Weights[i]}
		place(&out[i], p.Names, p.Sets[p.Set[i]])
	}
	return out, nil
}

func place(sc *quality.Score, names, values []string) {
	for i, name := range names {
		switch v := values[i]; {
		case v == "":
		case name == "customer":
			sc.Customer = v
		case name == "model":
			sc.Model = v
		case name == "prompt":
			sc.Prompt = v
		case name == "source":
			sc.Source = v
		default:
			if sc.Attributes == nil {
				sc.Attributes = map[string]string{}
			}
			sc.Attributes[name] = v
		}
	}
}
