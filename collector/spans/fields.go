package spans

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/asgood-dev/asgood/internal/quality"
)

// prompt names the prompt and its version, by the first convention that names one.
func (r *reading) prompt(f *feature) string {
	if f != nil {
		if sources, ok := f.fields["prompt"]; ok {
			return r.from(sources)
		}
	}
	for _, pair := range [][2]slot{{promptName, promptVersion}, {traceloopPrompt, traceloopPromptVersion}, {promptID, templateVersion}} {
		name, version := r.text(pair[0]), r.text(pair[1])
		switch {
		case name != "" && version != "":
			return name + "@" + version
		case name != "" || pair[1] == templateVersion:
			return name + version
		}
	}
	return ""
}

// aiSettings gives the settings of the AI SDK the names that the conventions have for them.
var aiSettings = map[string]string{
	"frequencyPenalty": "frequency_penalty", "presencePenalty": "presence_penalty", "maxTokens": "max_tokens", "maxOutputTokens": "max_tokens",
	"stopSequences": "stop_sequences", "temperature": "temperature", "topK": "top_k", "topP": "top_p", "seed": "seed",
}

// params are the request's settings; what is no setting of the model stays out.
func (r *reading) params() map[string]any {
	out := r.invocation()
	for _, p := range r.own.groups[groupSettings] {
		if name, ok := aiSettings[p.name]; ok {
			out = setting(out, name, p.value.AsRaw())
		}
	}
	for _, p := range r.own.groups[groupParams] {
		if p.name != "model" {
			out = setting(out, p.name, p.value.AsRaw())
		}
	}
	if tools := r.toolDefinitions(); tools != nil {
		out = setting(out, "tool_definitions", tools)
	}
	return out
}

// toolDefinitions are the tools that the model was offered: as one attribute, in which each may be JSON text
// of its own, or as one attribute for each.
func (r *reading) toolDefinitions() any {
	for _, s := range []slot{genToolDefinitions, aiPromptTools} {
		if v, ok := r.own.get(s); ok {
			return eachParsed(v)
		}
	}
	return r.listedTools()
}

func (r *reading) listedTools() any {
	if len(r.own.groups[groupTools]) == 0 {
		return nil
	}
	byIndex := map[int]any{}
	for _, p := range r.own.groups[groupTools] {
		if i, field, ok := index(p.name); ok && field == "tool.json_schema" && textOf(p.value) != "" {
			byIndex[i] = parsed(p.value)
		}
	}
	if len(byIndex) == 0 {
		return nil
	}
	list := make([]any, 0, len(byIndex))
	for _, i := range sortedKeys(byIndex) {
		list = append(list, byIndex[i])
	}
	return list
}

// invocation reads the settings that OpenInference keeps as one JSON object.
func (r *reading) invocation() map[string]any {
	v, ok := r.own.get(invocationParameters)
	if !ok {
		return nil
	}
	all, _ := parsed(v).(map[string]any)
	var out map[string]any
	for name, value := range all {
		switch name {
		case "model", "messages", "tools", "functions", "input", "contents": // no settings, or content
		default:
			out = setting(out, name, value)
		}
	}
	return out
}

// maxParams bounds the settings of one request.
const maxParams = 128

func setting(params map[string]any, name string, v any) map[string]any {
	v, ok := finite(v)
	if !ok || v == redacted || len(name) > quality.MaxNameLen || len(params) >= maxParams {
		return params
	}
	return with(params, clean(name), v)
}

// finite makes a value fit for JSON, which knows no NaN and no infinity.
func finite(v any) (any, bool) {
	switch x := v.(type) {
	case nil:
		return nil, false
	case string:
		return clean(x), true
	case float64:
		return x, !math.IsNaN(x) && !math.IsInf(x, 0)
	case []any:
		for i := range x {
			x[i] = finiteOrNil(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = finiteOrNil(x[k])
		}
	}
	return v, true
}

func finiteOrNil(v any) any {
	if x, ok := finite(v); ok {
		return x
	}
	return nil
}

// parsed returns a value, or what its text says when that is a JSON list or object.
func parsed(v pcommon.Value) any {
	text, ok := jsonText(v)
	if !ok {
		return v.AsRaw()
	}
	var raw any
	if json.Unmarshal([]byte(text), &raw) != nil {
		return v.AsRaw()
	}
	return raw
}

// eachParsed is parsed for a list, whose elements may be texts that say more.
func eachParsed(v pcommon.Value) any {
	if v.Type() != pcommon.ValueTypeSlice {
		return parsed(v)
	}
	list := make([]any, v.Slice().Len())
	for i := range list {
		list[i] = parsed(v.Slice().At(i))
	}
	return list
}

func (r *reading) usage() *quality.Usage {
	in, hasIn := r.count(genInputTokens, genPromptTokens, llmPromptTokens, aiInputTokens, aiPromptTokens)
	out, hasOut := r.count(genOutputTokens, genCompletionTokens, llmCompletionTokens, aiOutputTokens, aiCompletionTokens)
	if !hasIn && !hasOut {
		return nil
	}
	return &quality.Usage{InputTokens: in, OutputTokens: out}
}

// maxTokens is more than any request has; a larger count is a mistake and would spoil sums.
const maxTokens = 1 << 40

func (r *reading) count(slots ...slot) (uint64, bool) {
	for _, s := range slots {
		v, ok := r.own.get(s)
		if !ok {
			continue
		}
		switch v.Type() {
		case pcommon.ValueTypeInt:
			if n := v.Int(); n >= 0 && n < maxTokens {
				return uint64(n), true
			}
		default:
			if n, err := strconv.ParseFloat(v.AsString(), 64); err == nil && n >= 0 && n < maxTokens {
				return uint64(n), true
			}
		}
	}
	return 0, false
}

// attributes are those under our prefix, the span's over its resource's, and those that the feature maps.
func (r *reading) attributes(f *feature) map[string]string {
	var out map[string]string
	for _, v := range [2]*view{r.resource, r.own} {
		for _, p := range v.groups[groupOwn] {
			if p.name != "" && p.name != "customer" && !strings.HasPrefix(p.name, "evaluation.") {
				if text := textOf(p.value); text != "" {
					out = with(out, clean(p.name), text)
				}
			}
		}
	}
	if f == nil {
		return out
	}
	for _, m := range f.attributes {
		if text := r.from(m.sources); text != "" {
			out = with(out, m.name, text)
		}
	}
	return out
}

// outputAttributes adds who made the output and why the model stopped.
func (r *reading) outputAttributes(out map[string]string) map[string]string {
	if reason := r.finish(); reason != "" {
		out = with(out, "finish_reason", reason)
	}
	provider := strings.ToLower(r.own.text(genProvider, genSystem, llmProvider, llmSystem, aiProvider))
	if present, ok := providers[provider]; ok {
		provider = present
	}
	if _, own := out["provider"]; !own && provider != "" {
		out = with(out, "provider", provider)
	}
	return out
}

func (r *reading) finish() string {
	if v, ok := r.own.get(genFinish); ok && v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() > 0 {
		return textOf(v.Slice().At(0))
	}
	if reason := r.own.text(aiFinish, llmFinish); reason != "" {
		return reason
	}
	for _, p := range r.own.groups[groupCompletion] {
		if p.name == "0.finish_reason" {
			return textOf(p.value)
		}
	}
	return ""
}
