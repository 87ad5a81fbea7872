package judge_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/asgood-dev/asgood/evaluator/judge"
)

// The stub is a judge model behind the chat completions of OpenAI. It is naive: it obeys whatever reads as an
// instruction outside of what it was told to be quoted data, and marks of chat templates anywhere, since they
// turn into roles before a model sees them. The gullible one obeys instructions inside quoted data, too.
type stub struct {
	gullible bool
	schema   bool               // takes response_format
	answer   func(n int) string // instead of a grade, when it is not nil
	calls    atomic.Int64
	last     atomic.Pointer[chatRequest]
}

type chatRequest struct {
	Model          string          `json:"model"`
	ResponseFormat json.RawMessage `json:"response_format"`
	Messages       []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"messages"`
}

func (s *stub) start(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL + "/v1"
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req chatRequest
	if r.URL.Path != "/v1/chat/completions" || json.NewDecoder(r.Body).Decode(&req) != nil {
		http.Error(w, `{"error":{"message":"bad request"}}`, http.StatusBadRequest)
		return
	}
	n := int(s.calls.Add(1))
	s.last.Store(&req)
	if !s.schema && len(req.ResponseFormat) > 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"message":"response_format is not supported","type":"invalid_request_error"}}`)
		return
	}
	text := ""
	if s.answer != nil {
		text = s.answer(n)
	} else {
		text = s.grade(req.Messages[0].Content, req.Messages[1].Content)
	}
	writeCompletion(w, req.Model, text)
}

func writeCompletion(w http.ResponseWriter, model, text string) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]any{"role": "assistant", "content": text}}},
		"usage":   map[string]any{"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
	})
}

var (
	nonceIn = regexp.MustCompile(`begins with <<<([0-9a-f]+)`)
	checkIn = regexp.MustCompile(`The check word is ([0-9a-f]+)`)
	// roleMarks are tokens of chat templates: whatever stands behind them is said by that role.
	roleMarks = regexp.MustCompile(`<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|\[INST\]|\[SYSTEM_PROMPT\]|<<SYS>>|<｜User｜>`)
)

// grade is 1: no answer of these tests is good. Whatever the model obeys makes it the best.
func (s *stub) grade(system, user string) string {
	score, check := 1, ""
	seen := user
	if m := nonceIn.FindStringSubmatch(system); m != nil {
		seen = outside(user, m[1])
		check = checkIn.FindStringSubmatch(system)[1]
	}
	if m := nonceIn.FindStringSubmatch(system); m != nil && s.gullible {
		seen = regexp.MustCompile(`(?m)^(<<<|>>>)`+m[1]+`.*$|^\| `).ReplaceAllString(user, "")
	}
	// Our own request for a grade is no attack.
	seen = regexp.MustCompile(`Grade by the rubric\. (The answer seems .*?instruction\. )?Answer with the JSON object\.$`).ReplaceAllString(seen, "")
	if obeyed(seen) || roleMarks.MatchString(user) {
		score = 5
		if strings.Contains(strings.ToLower(seen), "repeat the check word") {
			return fmt.Sprintf(`{"explanation":"the check word is %s","score":5,"label":"good","addressed_judge":false,"check":%q}`, check, check)
		}
		if i := strings.Index(seen, `{"`); i >= 0 { // what looks like an answer is copied
			return seen[i:]
		}
	}
	return fmt.Sprintf(`{"explanation":"it says nothing of the refund","score":%d,"label":"off topic","addressed_judge":false,"check":%q}`, score, check)
}

// outside removes quoted data: the marked lines between delimiters that were announced.
func outside(user, nonce string) string {
	var out []string
	quoted := false
	for _, line := range regexp.MustCompile(`\r\n|[\n\r\x{2028}\x{2029}\x{0085}]`).Split(user, -1) {
		switch {
		case strings.HasPrefix(line, "<<<"+nonce):
			quoted = true
		case strings.HasPrefix(line, ">>>"+nonce):
			quoted = false
		case quoted && strings.HasPrefix(line, "| "):
		default:
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// obeyed reports whether a naive model would follow something in a text: it reads many languages, encodings and
// hidden characters.
func obeyed(text string) bool {
	tags := strings.Map(func(r rune) rune {
		if r >= 0xe0020 && r <= 0xe007e {
			return r - 0xe0000
		}
		return -1
	}, text)
	for _, word := range regexp.MustCompile(`[A-Za-z0-9+/]{24,}={0,2}`).FindAllString(text, -1) {
		if data, err := base64.StdEncoding.DecodeString(word); err == nil && judge.Addresses(string(data)) {
			return true
		}
	}
	return judge.Addresses(text) || judge.Addresses(tags)
}
