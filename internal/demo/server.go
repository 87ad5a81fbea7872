package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// productServer is the outside of the simulated product: health endpoints for the probes, and the
// on-call person's webhook, which checks signatures as a real receiver would.
type productServer struct {
	url    string
	secret string
	out    io.Writer
	server *http.Server
}

func startProduct(out io.Writer) (*productServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the simulated product: %w", err)
	}
	p := &productServer{url: "http://" + l.Addr().String(), out: out}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{feature}/health", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("POST /on-call", p.page)
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = p.server.Serve(l) }() // ends with Close
	return p, nil
}

// Close stops the server.
func (p *productServer) Close() { _ = p.server.Close() }

func (p *productServer) page(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	verifier, err := webhooks.NewWebhook(strings.TrimPrefix(p.secret, "whsec_"))
	if err != nil || verifier.Verify(body, r.Header) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var event struct {
		Type string `json:"type"`
		Data struct {
			Incident struct {
				Name string `json:"name"`
			} `json:"incident"`
			Change struct {
				Title string `json:"title"`
			} `json:"change"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err == nil {
		fmt.Fprintf(p.out, ">> webhook to on-call (signature checked): %s: %s\n", event.Type, event.Data.Incident.Name+event.Data.Change.Title)
	}
	w.WriteHeader(http.StatusNoContent)
}

// pageHost makes a listener's address fit for a browser.
func pageHost(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || (host != "::" && host != "0.0.0.0" && host != "") {
		return addr
	}
	return net.JoinHostPort("localhost", port)
}
