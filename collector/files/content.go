package files

import (
	"encoding/json"
	"strings"

	"github.com/asgood-dev/asgood/collector/files/parquet"
	"github.com/asgood-dev/asgood/internal/quality"
)

// contentOf reads an input or an output: a list of chat messages, as JSON or as a text that is JSON, or
// else text. A text that merely looks like JSON stays as it is.
func contentOf(c cell) quality.Content {
	trimmed := strings.TrimSpace(c.Text)
	switch {
	case strings.HasPrefix(trimmed, "["):
		if messages, ok := readMessages(trimmed); ok {
			return quality.Content{Messages: messages}
		}
	case c.Kind == parquet.JSON && strings.HasPrefix(trimmed, "{"):
		if messages, ok := readMessages("[" + trimmed + "]"); ok {
			return quality.Content{Messages: messages}
		}
	}
	return quality.Text(c.Text)
}

// wireMessage is a chat message as interfaces of models have it. Fields beside these are left out.
type wireMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// readMessages reads a list whose every entry is a message: it has a role and a content.
func readMessages(text string) ([]quality.Message, bool) {
	if !strings.Contains(text, `"role"`) || !strings.Contains(text, `"content"`) {
		return nil, false
	}
	var list []wireMessage
	if json.Unmarshal([]byte(text), &list) != nil || len(list) == 0 {
		return nil, false
	}
	messages := make([]quality.Message, len(list))
	for i, m := range list {
		content, ok := messageText(m.Content)
		if m.Role == "" || !ok {
			return nil, false
		}
		messages[i] = quality.Message{Role: m.Role, Content: content}
	}
	return messages, true
}

// messageText is a message's text: it comes as a string, as a list of parts, or as null beside calls of tools.
func messageText(data json.RawMessage) (string, bool) {
	if data == nil {
		return "", false
	}
	var text string
	if json.Unmarshal(data, &text) == nil {
		return text, true // null leaves it empty
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(data, &parts) != nil {
		return "", false
	}
	var texts []string
	for _, p := range parts {
		if p.Type == "text" || p.Type == "input_text" || p.Type == "output_text" {
			texts = append(texts, p.Text)
		}
	}
	return strings.Join(texts, "\n"), true
}
