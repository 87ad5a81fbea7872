package canary

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/asgood-dev/asgood/internal/quality"
)

// chat asks over OpenAI's chat completions, without streaming.
type chat struct {
	*endpoint
	spec quality.CanaryChat
}

func newChat(spec quality.CanarySpec, roots *x509.CertPool, s secrets) (*chat, error) {
	address, err := completions(spec.Chat.BaseURL)
	if err != nil {
		return nil, err
	}
	e, err := newEndpoint(http.MethodPost, address, roots, spec.Concurrency, s)
	if err != nil {
		return nil, err
	}
	e.headers.Set("Content-Type", "application/json")
	e.headers.Set("Accept", "application/json")
	if spec.Chat.Key != "" {
		e.headers.Set("Authorization", "Bearer "+spec.Chat.Key)
	}
	return &chat{e, *spec.Chat}, nil
}

// completions puts the path behind that of the base, before its query.
func completions(base string) (string, error) {
	e, err := newEndpoint(http.MethodPost, base, nil, 1, nil)
	if err != nil {
		return "", err
	}
	return e.url.JoinPath("chat", "completions").String(), nil
}

func (c *chat) ask(ctx context.Context, p *quality.CanaryPrompt) (answer, error) {
	body, err := c.request(p)
	if err != nil {
		return answer{}, err
	}
	data, headers, err := c.call(ctx, body)
	if err != nil {
		return answer{}, err
	}
	return readCompletion(data, headers)
}

func (c *chat) request(p *quality.CanaryPrompt) ([]byte, error) {
	messages := quality.CallOf(p).Messages
	if c.spec.System != "" {
		messages = append([]quality.Message{{Role: "system", Content: c.spec.System}}, messages...)
	}
	fields := maps.Clone(c.spec.Params)
	if fields == nil {
		fields = map[string]any{}
	}
	fields["model"], fields["messages"] = c.spec.Model, messages
	data, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("encoding a request: %w", err)
	}
	return data, nil
}

// completion is the part of a chat completion that is read.
type completion struct {
	Model   string `json:"model"`
	Choices []struct {
		Message struct {
			Content   parts  `json:"content"`
			Refusal   string `json:"refusal"`
			ToolCalls []struct {
				Function struct {
					Name      string          `json:"name"`
					Arguments json.RawMessage `json:"arguments"` // by the format a text that holds JSON
				} `json:"function"`
			} `json:"tool_calls"`
		} `json:"message"`
	} `json:"choices"`
	Usage *struct {
		Prompt     json.Number `json:"prompt_tokens"`
		Completion json.Number `json:"completion_tokens"`
	} `json:"usage"`
}

// parts is content that is a text, null, or, with some servers, a list of parts.
type parts struct {
	text string
	set  bool
}

// UnmarshalJSON reads any of the three.
func (p *parts) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	p.set = true
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &p.text)
	}
	var list []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	texts := make([]string, 0, len(list))
	for _, part := range list {
		if part.Type == "text" {
			texts = append(texts, part.Text)
		}
	}
	p.text = strings.Join(texts, "\n")
	return nil
}

// maxTools bounds the calls of tools that are kept of an answer.
const maxTools = 100

// readCompletion reads an answer. One with neither text nor tools, whose content is null, is an empty answer.
func readCompletion(data []byte, h http.Header) (a answer, err error) {
	var c completion
	if json.Unmarshal(data, &c) != nil {
		return a, notJSON(h)
	}
	if len(c.Choices) == 0 {
		return a, failed("the answer holds no choices")
	}
	m := c.Choices[0].Message
	text := m.Content.text
	if !m.Content.set && m.Refusal != "" {
		text = m.Refusal
	}
	for _, t := range m.ToolCalls[:min(len(m.ToolCalls), maxTools)] {
		a.tools = append(a.tools, quality.ToolCall{Name: clip(t.Function.Name), Arguments: arguments(t.Function.Arguments)})
	}
	if text != "" || len(a.tools) == 0 {
		if a.output, err = outputOf(text); err != nil {
			return a, err
		}
	}
	a.model = clip(c.Model)
	if c.Usage != nil {
		a.usage = &quality.Usage{InputTokens: countOf(c.Usage.Prompt), OutputTokens: countOf(c.Usage.Completion)}
	}
	return a, checkTools(a.tools)
}

func arguments(raw json.RawMessage) json.RawMessage {
	var inner string
	if json.Unmarshal(raw, &inner) == nil {
		return rawJSON(inner)
	}
	return rawJSON(string(raw))
}

func checkTools(tools []quality.ToolCall) error {
	size := 0
	for _, t := range tools {
		size += len(t.Arguments)
	}
	if size > maxAnswer {
		return failed("the calls of tools have more than %d MiB", maxAnswer>>20)
	}
	return nil
}

// clip makes a name fit into a sample.
func clip(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if len(s) > quality.MaxNameLen {
		s = strings.ToValidUTF8(s[:quality.MaxNameLen], "")
	}
	return s
}
