package senders_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// gate stands between a sender and the program, and does to them what networks and restarts do.
type gate struct {
	mu     sync.Mutex
	mode   mode
	target string
	seen   int // requests, or connections, since the mode was set
	open   map[net.Conn]bool
}

// mode is what a gate does with requests.
type mode int

const (
	passes  mode = iota
	loses        // the request reaches the program, the answer does not come back
	refuses      // HTTP: 503, gRPC: no connection
)

// set changes the mode and cuts open connections.
func (g *gate) set(m mode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mode, g.seen = m, 0
	for c := range g.open {
		_ = c.Close()
	}
}

// aim names the address of the program.
func (g *gate) aim(target string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.target = target
}

// meet counts a request and tells what to do with it.
func (g *gate) meet() (mode, string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen++
	return g.mode, g.target
}

func (g *gate) met() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen
}

// gateHTTP is a gate for HTTP.
func gateHTTP(t *testing.T) (_ *gate, addr string) {
	t.Helper()
	g := &gate{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mode, target := g.meet()
		if mode == refuses {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: target})
		proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) } // ends the connection
		proxy.ModifyResponse = func(*http.Response) error {
			if mode == loses {
				return http.ErrAbortHandler
			}
			return nil
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return g, s.Listener.Addr().String()
}

// gateGRPC is a gate for connections of HTTP/2.
func gateGRPC(t *testing.T) (_ *gate, addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{open: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { g.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		g.set(refuses)
		wg.Wait()
	})
	return g, l.Addr().String()
}

func (g *gate) serve(c net.Conn) {
	defer c.Close()
	mode, target := g.meet()
	if mode == refuses {
		return
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	g.hold(c, true)
	defer g.hold(c, false)
	go func() {
		_, _ = io.Copy(server, c)
		_ = server.Close()
	}()
	if mode == loses {
		_ = copyUntilAnswer(c, server)
		return
	}
	_, _ = io.Copy(c, server)
}

func (g *gate) hold(c net.Conn, open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if open {
		g.open[c] = true
	} else {
		delete(g.open, c)
	}
}

// copyUntilAnswer copies frames of HTTP/2 until one begins an answer.
func copyUntilAnswer(to io.Writer, from io.Reader) error {
	const headers = 1 // type of frame
	for {
		var head [9]byte
		if _, err := io.ReadFull(from, head[:]); err != nil || head[3] == headers {
			return err
		}
		if _, err := to.Write(head[:]); err != nil {
			return err
		}
		length := int64(binary.BigEndian.Uint32(append([]byte{0}, head[:3]...)))
		if _, err := io.CopyN(to, from, length); err != nil {
			return err
		}
	}
}
