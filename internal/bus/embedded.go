package bus

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/asgood-dev/asgood/internal/quality"
)

const startTime = 30 * time.Second // a server that recovers a large stream takes its time

// embedded is a NATS server in this process.
type embedded struct {
	server *server.Server
	lock   *os.File
}

func startEmbedded(dir string, log *slog.Logger) (*embedded, error) {
	if dir == "" {
		return nil, quality.Errorf(quality.KindInvalid, "a directory or a URL of NATS is required")
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	e := &embedded{lock: lock}
	e.server, err = server.NewServer(&server.Options{
		ServerName: "asgood", DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true,
		MaxPayload: 8 << 20, NoSigs: true, NoSystemAccount: false,
		JetStreamMaxMemory: -1, JetStreamMaxStore: 1 << 50, // streams have limits of their own
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making the NATS server: %w", err), lock.Close())
	}
	e.server.SetLoggerV2(logAdapter{log}, false, false, false)
	e.server.Start()
	if !e.server.ReadyForConnections(startTime) {
		return nil, errors.Join(quality.Errorf(quality.KindUnavailable, "the NATS server on %q is not ready after %s", dir, startTime), e.close())
	}
	return e, nil
}

// lockDir keeps a second process out: two servers on one directory would destroy it.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the data directory %q: %w", dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("locking the data directory %q: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // the lock is the error to tell
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, quality.Errorf(quality.KindConflict, "data directory %q is in use by another process: stop it, or configure another storage.dir", dir)
		}
		return nil, fmt.Errorf("locking the data directory %q: %w", dir, err)
	}
	return f, nil
}

func (e *embedded) close() error {
	e.server.Shutdown()
	e.server.WaitForShutdown()
	if err := e.lock.Close(); err != nil {
		return fmt.Errorf("unlocking the data directory: %w", err)
	}
	return nil
}
