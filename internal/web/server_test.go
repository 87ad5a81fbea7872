package web_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/asgood-dev/asgood/internal/web"
)

func TestServerServesAndDrains(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s, err := web.Listen("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		_, _ = w.Write([]byte("whole"))
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	served, got, shut := make(chan error, 1), make(chan string, 1), make(chan error, 1)
	go func() { served <- s.Serve() }()
	go func() {
		resp, err := http.Get("http://" + s.Addr())
		if err != nil {
			got <- err.Error()
			return
		}
		got <- body(t, resp)
	}()
	<-entered
	go func() { shut <- s.Shutdown(t.Context()) }()
	if err := <-served; err != nil {
		t.Errorf("Serve: got %v, want nil after Shutdown", err)
	}
	close(release)
	if err := <-shut; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if s := <-got; s != "whole" {
		t.Errorf("the open request got %q, want its whole answer", s)
	}
}

func TestShutdownCutsWhatDoesNotEnd(t *testing.T) {
	entered := make(chan struct{})
	s, err := web.Listen("127.0.0.1:0", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	served, got := make(chan error, 1), make(chan error, 1)
	go func() { served <- s.Serve() }()
	go func() { _, err := http.Get("http://" + s.Addr()); got <- err }()
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("Shutdown: got %v, want the deadline", err)
	}
	if err := <-got; err == nil {
		t.Error("the open request was answered, want it cut")
	}
	<-served
}

func TestListenBindsAtOnce(t *testing.T) {
	s, err := web.Listen("127.0.0.1:0", http.NotFoundHandler(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := web.Listen(s.Addr(), http.NotFoundHandler(), nil); err == nil || !strings.Contains(err.Error(), s.Addr()) {
		t.Errorf("second listener: got %v, want an error that names the address", err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", s.Addr())
	if err != nil {
		t.Fatalf("the address of a server that never served is not free: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// A header does not choose where everybody is led.
func TestRedirectsStayInTheirPlace(t *testing.T) {
	e := web.New(web.Options{})
	e.GET("/about", func(c *gin.Context) { c.Status(http.StatusOK) })
	s, err := web.Listen("127.0.0.1:0", e, nil)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr()+"/about/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-Prefix", "/evil")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusMovedPermanently || to != "/about" {
		t.Errorf("got %d to %q, want the path without its slash", res.StatusCode, to)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
