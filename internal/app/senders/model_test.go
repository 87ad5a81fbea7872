package senders_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// The stub model speaks the published format of OpenAI's API: chat completions, whole and as a stream, with
// calls of a tool, and embeddings. What it says follows from the last message alone.

const (
	modelKey     = "sk-stub"
	modelVersion = "gpt-4o-mini-2024-07-18"
)

type object = map[string]any

// chatRequest is what the stub reads of a request.
type chatRequest struct {
	id       int64
	Model    string `json:"model"`
	Messages []struct {
		Role    string `json:"role"`
		Content any    `json:"content"`
	} `json:"messages"`
	Tools []struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	} `json:"tools"`
	Stream        bool `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// answer is what the model says: a text or the call of a tool.
type answer struct {
	text, tool, arguments string
	in, out               int // tokens
}

// model is the stub.
type model struct{ responses atomic.Int64 } // responses so far, by which they are named

// startModel returns the base URL of the stub.
func startModel(t *testing.T) string {
	t.Helper()
	m, mux := &model{}, http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", m.answerChat)
	mux.HandleFunc("POST /v1/embeddings", answerEmbeddings)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the model was asked for %s %s", r.Method, r.URL)
		w.WriteHeader(http.StatusNotFound)
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+modelKey {
			fail(w, http.StatusUnauthorized, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

func (m *model) answerChat(w http.ResponseWriter, r *http.Request) {
	req := chatRequest{id: m.responses.Add(1)}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil || len(req.Messages) == 0 || req.Model == "" {
		fail(w, http.StatusBadRequest, "We could not parse the JSON body of your request.", "invalid_request_error", nil)
		return
	}
	last := req.Messages[len(req.Messages)-1]
	switch a := (answer{in: 20, out: 10}); {
	case strings.Contains(fmt.Sprint(last.Content), "fail"):
		fail(w, http.StatusInternalServerError, "The server had an error while processing your request.", "server_error", nil)
	case last.Role == "tool":
		a.text, a.in = "Parcel 17 is in Bonn.", 50
		req.send(w, a)
	case len(req.Tools) > 0:
		a.tool, a.arguments = req.Tools[0].Function.Name, `{"number":17}`
		req.send(w, a)
	default:
		a.text = "Once upon a time there was a parcel."
		req.send(w, a)
	}
}

func fail(w http.ResponseWriter, status int, message, kind string, code any) {
	write(w, status, object{"error": object{"message": message, "type": kind, "param": nil, "code": code}})
}

func write(w http.ResponseWriter, status int, body object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (r *chatRequest) send(w http.ResponseWriter, a answer) {
	if r.Stream {
		r.stream(w, a)
		return
	}
	message := object{"role": "assistant", "content": nil, "refusal": nil, "annotations": []any{}}
	if a.tool != "" {
		message["tool_calls"] = []any{a.call()}
	} else {
		message["content"] = a.text
	}
	body := r.envelope("chat.completion")
	body["choices"] = []any{object{"index": 0, "message": message, "logprobs": nil, "finish_reason": a.finish()}}
	body["usage"] = a.usage()
	write(w, http.StatusOK, body)
}

func (r *chatRequest) envelope(kind string) object {
	return object{
		"id": fmt.Sprintf("chatcmpl-%d", r.id), "object": kind, "created": 1764000000, "model": modelVersion,
		"service_tier": "default", "system_fingerprint": "fp_stub",
	}
}

// stream sends server-sent events: the role, the words one by one, the end, and the usage where it was asked for.
func (r *chatRequest) stream(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	r.chunk(w, object{"role": "assistant", "content": "", "refusal": nil}, nil)
	for _, word := range strings.SplitAfter(a.text, " ") {
		r.chunk(w, object{"content": word}, nil)
	}
	r.chunk(w, object{}, a.finish())
	if r.StreamOptions.IncludeUsage {
		body := r.envelope("chat.completion.chunk")
		body["choices"], body["usage"] = []any{}, a.usage()
		event(w, body)
	}
	_, _ = fmt.Fprint(w, "data: [DONE]\n\n")
}

func (r *chatRequest) chunk(w http.ResponseWriter, delta object, finish any) {
	body := r.envelope("chat.completion.chunk")
	body["choices"] = []any{object{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish}}
	if r.StreamOptions.IncludeUsage {
		body["usage"] = nil
	}
	event(w, body)
}

func event(w http.ResponseWriter, body object) {
	data, err := json.Marshal(body)
	if err != nil {
		panic(err) // it holds only what can be written
	}
	_, _ = fmt.Fprintf(w, "data: %s\n\n", data)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

func (a *answer) call() object {
	return object{"id": "call_17", "type": "function", "function": object{"name": a.tool, "arguments": a.arguments}}
}

func (a *answer) finish() string {
	if a.tool != "" {
		return "tool_calls"
	}
	return "stop"
}

func (a *answer) usage() object {
	return object{
		"prompt_tokens": a.in, "completion_tokens": a.out, "total_tokens": a.in + a.out,
		"prompt_tokens_details":     object{"cached_tokens": 0, "audio_tokens": 0},
		"completion_tokens_details": object{"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
	}
}

func answerEmbeddings(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model  string `json:"model"`
		Format string `json:"encoding_format"`
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil || req.Model == "" {
		fail(w, http.StatusBadRequest, "We could not parse the JSON body of your request.", "invalid_request_error", nil)
		return
	}
	var embedding any = []float32{0.25, 0.5, 1}
	if req.Format == "base64" {
		embedding = "AACAPgAAAD8AAIA/" // the same numbers, little-endian
	}
	write(w, http.StatusOK, object{
		"object": "list", "model": req.Model,
		"data":  []any{object{"object": "embedding", "index": 0, "embedding": embedding}},
		"usage": object{"prompt_tokens": 6, "total_tokens": 6},
	})
}
