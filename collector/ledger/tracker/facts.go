package tracker

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// The facets that every feature has. Parameters, the schemas of tools among them, are followed by name.
const (
	facetModel = iota
	facetPrompt
	facetSystem
	facetIndex
	fixedFacets
)

var (
	fixedNames  = [fixedFacets]string{"model", "prompt", "system prompt", "index"}
	fixedLayers = [fixedFacets]quality.Layer{quality.LayerModel, quality.LayerPrompt, quality.LayerPrompt, quality.LayerRetrieval}
)

// facetTools is the name of the facet of tool schemas.
const facetTools = "tools"

// facetOf is the facet of a parameter. The schemas of tools come under two names.
func facetOf(param string) string {
	if param == "tool_definitions" {
		return facetTools
	}
	return param
}

func layerOf(facet string) quality.Layer {
	switch {
	case facet == facetTools:
		return quality.LayerTools
	case strings.HasPrefix(facet, "retrieval"):
		return quality.LayerRetrieval
	default:
		return quality.LayerServing
	}
}

// passing reports whether a parameter belongs to one request and says nothing about the feature.
func passing(param string) bool {
	switch param {
	case "seed", "user", "metadata", "request_id", "stream", "stream_options", "prompt_cache_key", "safety_identifier":
		return true
	}
	return false
}

// maxText bounds what is looked at of one text.
const maxText = 256 << 10

func head(s string) string { return s[:min(len(s), maxText)] }

// indexOf is the retrieval index of a sample.
func indexOf(s *quality.Sample) string {
	if len(s.Attributes) == 0 {
		return ""
	}
	if v := s.Attributes["index"]; v != "" {
		return v
	}
	return s.Attributes["retrieval_index"]
}

// systemOf is the text of the first instruction. Later ones often carry what was looked up for this request.
func systemOf(s *quality.Sample) string {
	for i := range s.Input.Messages {
		if m := &s.Input.Messages[i]; m.Role == "system" || m.Role == "developer" {
			return m.Content
		}
	}
	return ""
}

// absentHash stands for a parameter that a sample does not have; no other value has it.
const absentHash = 0

func (t *Tracker) text(s string) uint64 { return maphash.String(t.seed, s) | 1 }

func (t *Tracker) systemHash(s *quality.Sample) uint64 {
	text := systemOf(s)
	if text == "" {
		return absentHash
	}
	return t.text(head(text))
}

// fixedHash returns a quick hash of one facet of a sample, and whether the sample tells it.
func (t *Tracker) fixedHash(kind int, s *quality.Sample, system uint64) (uint64, bool) {
	var text string
	switch kind {
	case facetModel:
		text = s.Model
	case facetPrompt:
		text = s.Prompt
	case facetSystem:
		return system, system != absentHash
	case facetIndex:
		text = indexOf(s)
	}
	if text == "" {
		return absentHash, false
	}
	return t.text(text), true
}

// hash is a quick hash of a value as JSON or OTLP carried it. Equal values of different types may differ:
// the slow way knows them as one.
func (t *Tracker) hash(v any) uint64 {
	switch x := v.(type) {
	case nil:
		return 3
	case bool:
		if x {
			return 5
		}
		return 7
	case string:
		return t.text(head(x))
	case float64:
		return mix(11, math.Float64bits(x)) | 1
	case int64:
		return mix(13, uint64(x)) | 1
	case []any:
		h := uint64(17)
		for _, e := range x {
			h = mix(h, t.hash(e))
		}
		return h | 1
	case map[string]any:
		h := uint64(19)
		for k, e := range x { // in no order, so the parts are summed up
			h += mix(t.text(k), t.hash(e))
		}
		return h | 1
	default:
		return t.text(fmt.Sprintf("%T %v", v, v))
	}
}

// mix joins two hashes so that their order counts (the constants are those of splitmix64).
func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 ^ b
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// identify says what a facet of a sample is: a key that is the same in every process, and a short text.
func identify(fc *facet, hash uint64, s *quality.Sample) (key, text string) {
	switch fc.Name {
	case fixedNames[facetModel]:
		if fc.Layer == quality.LayerModel {
			return s.Model, clip(s.Model)
		}
	case fixedNames[facetPrompt]:
		if fc.Layer == quality.LayerPrompt {
			return s.Prompt, clip(s.Prompt)
		}
	case fixedNames[facetSystem]:
		if fc.Layer == quality.LayerPrompt {
			return identifySystem(systemOf(s))
		}
	case fixedNames[facetIndex]:
		if fc.Layer == quality.LayerRetrieval {
			return indexOf(s), clip(indexOf(s))
		}
	}
	if hash == absentHash {
		return "", absentText(fc.Name)
	}
	if fc.Name == facetTools {
		return identifyTools(toolsOf(s))
	}
	return identifyParam(fc.Name, s.Params[fc.Name])
}

func absentText(facet string) string { return facet + " not set" }

// identifySystem leaves out dates, times and ids, which templates fill in for each request.
func identifySystem(text string) (key, readable string) {
	key = digest([]byte(mask(head(text))))
	return key, fmt.Sprintf("%s (fingerprint %s)", clip(text), key[:12])
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// maxShort is how much of a text is shown.
const maxShort = 80

// clip returns the first characters of a text on one line.
func clip(text string) string {
	line := strings.Join(strings.Fields(strings.ToValidUTF8(text[:min(len(text), 8*maxShort)], "")), " ")
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, line)
	if r := []rune(line); len(r) > maxShort {
		return string(r[:maxShort]) + "…"
	}
	return line
}

func identifyParam(name string, v any) (key, text string) {
	data, err := json.Marshal(v)
	if err != nil { // what came as JSON can be written as JSON; anything else is one value
		return "unreadable", name + " unreadable"
	}
	if len(data) <= maxShort {
		return string(data), name + " " + clip(string(data))
	}
	key = digest(data)
	return key, fmt.Sprintf("%s %s (fingerprint %s)", name, clip(string(data)), key[:12])
}

func toolsOf(s *quality.Sample) any {
	if v, ok := s.Params["tool_definitions"]; ok {
		return v
	}
	return s.Params[facetTools]
}

// identifyTools takes the schemas in any order: the model is offered the same.
func identifyTools(v any) (key, text string) {
	list, ok := v.([]any)
	if !ok {
		return identifyParam(facetTools, v)
	}
	parts, names := make([][]byte, 0, len(list)), make([]string, 0, len(list))
	for _, tool := range list {
		data, err := json.Marshal(tool)
		if err != nil {
			return "unreadable", "tools unreadable"
		}
		parts, names = append(parts, data), append(names, toolName(tool))
	}
	slices.SortFunc(parts, bytes.Compare)
	slices.Sort(names)
	key = digest(bytes.Join(parts, []byte{'\n'}))
	return key, fmt.Sprintf("tools %s (fingerprint %s)", clip(strings.Join(names, ", ")), key[:12])
}

func toolName(tool any) string {
	m, ok := tool.(map[string]any)
	if !ok {
		return "?"
	}
	if inner, ok := m["function"].(map[string]any); ok {
		m = inner
	}
	if name, ok := m["name"].(string); ok && name != "" {
		return name
	}
	return "?"
}
