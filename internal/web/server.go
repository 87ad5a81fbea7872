package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of every server. Live connections are taken over and have their own deadlines.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 2 * time.Minute // of a request with its body: one that never comes holds nothing for ever
	idleTimeout       = 2 * time.Minute
	writeTimeout      = 5 * time.Minute // of an answer: who asks and does not read holds nothing for ever
	maxHeaderBytes    = 64 << 10
)

// Server is a listener that is bound and the server that will answer on it.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// Listen binds the address at once, so that a port in use is an error before anything else starts and
// early callers wait instead of being refused. A port of 0 takes a free one. A nil logger is allowed.
func Listen(addr string, h http.Handler, logger *slog.Logger) (*Server, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %q: %w", addr, err)
	}
	return &Server{listener: l, http: &http.Server{
		Handler:           unprefixed(h),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}}, nil
}

// unprefixed takes away a header by which a caller could choose where gin's redirects lead: they are kept by caches, and
// would lead everybody there.
func unprefixed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		delete(r.Header, "X-Forwarded-Prefix")
		h.ServeHTTP(w, r)
	})
}

// Addr returns the bound address, with the real port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Serve answers until Shutdown, and then returns nil.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving on %q: %w", s.Addr(), err)
	}
	return nil
}

// Shutdown takes no more connections and waits for the open requests until ctx is done, then cuts
// them. It also frees the address of a server that never served.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	// A server that never served does not know its listener.
	if cerr := s.listener.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
		err = errors.Join(err, cerr)
	}
	if err != nil {
		return fmt.Errorf("shutting down %q: %w", s.Addr(), err)
	}
	return nil
}
