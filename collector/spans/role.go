package spans

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// role tells what the span does, by the first convention that says so, and whether any convention
// speaks of it at all. Instrumentations from before operations had names are known by what they carry.
func (r *reading) role() (role Role, speaks bool) {
	for _, by := range []func(*reading) Role{(*reading).byOpenInference, (*reading).byOperation, (*reading).byAISDK, (*reading).byOpenLLMetry} {
		if role := by(r); role != "" {
			return role, true
		}
	}
	if r.own.text(genOutput, genCompletion, genRequestModel, genResponseModel) != "" || len(r.own.groups[groupCompletion]) > 0 {
		return RoleOutput, true
	}
	return RoleOther, false
}

func (r *reading) byOperation() Role {
	switch r.own.text(operation) {
	case "":
		return ""
	case "chat", "text_completion", "generate_content", "invoke_agent":
		return RoleOutput
	case "invoke_workflow":
		if r.own.has[genOutput] {
			return RoleOutput
		}
	case "retrieval":
		return RoleRetrieval
	case "execute_tool":
		return RoleTool
	}
	return RoleOther
}

func (r *reading) byOpenInference() Role {
	switch strings.ToUpper(r.own.text(openInferenceKind)) {
	case "":
		return ""
	case "LLM", "AGENT":
		return RoleOutput
	case "CHAIN":
		if r.own.has[outputValue] || len(r.own.groups[groupOutputMessages]) > 0 {
			return RoleOutput
		}
	case "RETRIEVER", "RERANKER":
		return RoleRetrieval
	case "TOOL":
		return RoleTool
	case "EVALUATOR":
		return RoleEvaluation
	}
	return RoleOther
}

// byAISDK reads operations such as ai.generateText and, below it, ai.generateText.doGenerate.
func (r *reading) byAISDK() Role {
	op := r.own.text(aiOperation)
	if op == "" {
		op, _, _ = strings.Cut(r.own.text(plainOperation), " ")
	}
	op, ok := strings.CutPrefix(op, "ai.")
	if !ok {
		return ""
	}
	op, _, _ = strings.Cut(op, ".")
	switch op {
	case "generateText", "streamText", "generateObject", "streamObject":
		return RoleOutput
	case "toolCall":
		return RoleTool
	default:
		return RoleOther
	}
}

func (r *reading) byOpenLLMetry() Role {
	switch r.own.text(llmRequestType) {
	case "chat", "completion":
		return RoleOutput
	case "rerank", "embedding":
		return RoleOther
	}
	switch r.own.text(traceloopKind) {
	case "":
		return ""
	case "workflow", "agent":
		if r.own.has[traceloopOutput] {
			return RoleOutput
		}
	case "tool":
		return RoleTool
	}
	return RoleOther
}

// hasResults tells spans of a vector database by the documents they found.
func hasResults(s ptrace.Span) bool {
	for _, e := range s.Events().All() {
		if e.Name() == eventResult {
			return true
		}
	}
	return false
}
