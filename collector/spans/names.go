package spans

// slot is the place of an attribute in a view.
type slot int

const (
	operation slot = iota
	openInferenceKind
	traceloopKind
	llmRequestType
	aiOperation
	plainOperation
	eventName

	genInput
	genOutput
	genInstructions
	genToolDefinitions
	genPrompt
	genCompletion
	genContent
	inputValue
	outputValue
	traceloopInput
	traceloopOutput
	traceloopName
	aiPrompt
	aiPromptMessages
	aiText
	aiObject
	aiToolCalls
	aiPromptTools
	eventRole
	eventContent
	eventMessage
	eventToolCalls
	eventID

	genResponseModel
	genRequestModel
	llmResponseModel
	llmRequestModel
	llmModel
	aiResponseModel
	aiModel
	genProvider
	genSystem
	llmProvider
	llmSystem
	aiProvider

	genInputTokens
	genPromptTokens
	llmPromptTokens
	aiInputTokens
	aiPromptTokens
	genOutputTokens
	genCompletionTokens
	llmCompletionTokens
	aiOutputTokens
	aiCompletionTokens

	genResponseID
	aiResponseID
	genFinish
	aiFinish
	llmFinish
	errorType

	asgoodCustomer
	customerID
	tenantID
	traceloopCustomer
	conversationID
	sessionID
	traceloopSession

	promptName
	promptVersion
	traceloopPrompt
	traceloopPromptVersion
	promptID
	templateVersion
	invocationParameters

	genToolName
	genToolCallID
	genToolArguments
	genToolResult
	toolName
	toolCallID
	aiToolName
	aiToolID
	aiToolArguments
	aiToolResult

	genDocuments
	resultID
	resultDocument

	evaluationName
	evaluationValue
	evaluationLabel
	evaluationExplanation
	evaluationBy
	evaluationKind

	metadata
	associations
	serviceName
	slots
)

// names of the attributes, by slot.
var names = [slots]string{
	operation:         "gen_ai.operation.name",
	openInferenceKind: "openinference.span.kind",
	traceloopKind:     "traceloop.span.kind",
	llmRequestType:    "llm.request.type",
	aiOperation:       "ai.operationId",
	plainOperation:    "operation.name",
	eventName:         "event.name",

	genInput:           "gen_ai.input.messages",
	genOutput:          "gen_ai.output.messages",
	genInstructions:    "gen_ai.system_instructions",
	genToolDefinitions: "gen_ai.tool.definitions",
	genPrompt:          "gen_ai.prompt",
	genCompletion:      "gen_ai.completion",
	genContent:         "gen_ai.event.content",
	inputValue:         "input.value",
	outputValue:        "output.value",
	traceloopInput:     "traceloop.entity.input",
	traceloopOutput:    "traceloop.entity.output",
	traceloopName:      "traceloop.entity.name",
	aiPrompt:           "ai.prompt",
	aiPromptMessages:   "ai.prompt.messages",
	aiText:             "ai.response.text",
	aiObject:           "ai.response.object",
	aiToolCalls:        "ai.response.toolCalls",
	aiPromptTools:      "ai.prompt.tools",
	eventRole:          "role",
	eventContent:       "content",
	eventMessage:       "message",
	eventToolCalls:     "tool_calls",
	eventID:            "id",

	genResponseModel: "gen_ai.response.model",
	genRequestModel:  "gen_ai.request.model",
	llmResponseModel: "llm.response.model_name",
	llmRequestModel:  "llm.request.model_name",
	llmModel:         "llm.model_name",
	aiResponseModel:  "ai.response.model",
	aiModel:          "ai.model.id",
	genProvider:      "gen_ai.provider.name",
	genSystem:        "gen_ai.system",
	llmProvider:      "llm.provider",
	llmSystem:        "llm.system",
	aiProvider:       "ai.model.provider",

	genInputTokens:      "gen_ai.usage.input_tokens",
	genPromptTokens:     "gen_ai.usage.prompt_tokens",
	llmPromptTokens:     "llm.token_count.prompt",
	aiInputTokens:       "ai.usage.inputTokens",
	aiPromptTokens:      "ai.usage.promptTokens",
	genOutputTokens:     "gen_ai.usage.output_tokens",
	genCompletionTokens: "gen_ai.usage.completion_tokens",
	llmCompletionTokens: "llm.token_count.completion",
	aiOutputTokens:      "ai.usage.outputTokens",
	aiCompletionTokens:  "ai.usage.completionTokens",

	genResponseID: "gen_ai.response.id",
	aiResponseID:  "ai.response.id",
	genFinish:     "gen_ai.response.finish_reasons",
	aiFinish:      "ai.response.finishReason",
	llmFinish:     "llm.finish_reason",
	errorType:     "error.type",

	asgoodCustomer:    "asgood.customer",
	customerID:        "customer.id",
	tenantID:          "tenant.id",
	traceloopCustomer: "traceloop.association.properties.customer_id",
	conversationID:    "gen_ai.conversation.id",
	sessionID:         "session.id",
	traceloopSession:  "traceloop.association.properties.session_id",

	promptName:             "gen_ai.prompt.name",
	promptVersion:          "gen_ai.prompt.version",
	traceloopPrompt:        "traceloop.prompt.key",
	traceloopPromptVersion: "traceloop.prompt.version",
	promptID:               "prompt.id",
	templateVersion:        "llm.prompt_template.version",
	invocationParameters:   "llm.invocation_parameters",

	genToolName:      "gen_ai.tool.name",
	genToolCallID:    "gen_ai.tool.call.id",
	genToolArguments: "gen_ai.tool.call.arguments",
	genToolResult:    "gen_ai.tool.call.result",
	toolName:         "tool.name",
	toolCallID:       "tool_call.id",
	aiToolName:       "ai.toolCall.name",
	aiToolID:         "ai.toolCall.id",
	aiToolArguments:  "ai.toolCall.args",
	aiToolResult:     "ai.toolCall.result",

	genDocuments:   "gen_ai.retrieval.documents",
	resultID:       "db.query.result.id",
	resultDocument: "db.query.result.document",

	evaluationName:        "gen_ai.evaluation.name",
	evaluationValue:       "gen_ai.evaluation.score.value",
	evaluationLabel:       "gen_ai.evaluation.score.label",
	evaluationExplanation: "gen_ai.evaluation.explanation",
	evaluationBy:          "asgood.evaluation.by",
	evaluationKind:        "asgood.evaluation.kind",

	metadata:     "metadata",
	associations: "traceloop.association.properties",
	serviceName:  "service.name",
}

// Names of events, of spans or as log records.
const (
	eventDetails    = "gen_ai.client.inference.operation.details"
	eventEvaluation = "gen_ai.evaluation.result"
	eventResult     = "db.query.result"
)

// The older events, which carried one message each, with the role of it.
var (
	inputEvents = map[string]string{
		"gen_ai.system.message": "system", "gen_ai.user.message": "user", "gen_ai.assistant.message": "assistant",
		"gen_ai.tool.message": "tool", "gen_ai.content.prompt": "user",
	}
	outputEvents = map[string]string{"gen_ai.choice": "assistant", "gen_ai.content.completion": "assistant"}
)

// providers gives the present names of providers that the conventions once named otherwise.
var providers = map[string]string{
	"xai": "x_ai", "vertex_ai": "gcp.vertex_ai", "gemini": "gcp.gemini", "az.ai.inference": "azure.ai.inference", "az.ai.openai": "azure.ai.openai",
}
