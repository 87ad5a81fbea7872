package app

import (
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
)

// diskRoom says whether there is disk enough to take more in. Senders are refused while something is
// left, because the engines do not bear a full disk: they would stop in the middle of what they write.
type diskRoom struct {
	dir     string
	minFree uint64
	log     *slog.Logger
	now     func() time.Time

	mu    sync.Mutex
	asked time.Time
	full  error
}

// diskAskEvery bounds how old an answer may be. What fits through the door in this time is far below the
// room that is kept free.
const diskAskEvery = 500 * time.Millisecond

// Room returns nil, or an error of kind full that is fit for senders.
func (r *diskRoom) Room() error {
	if r.minFree == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Sub(r.asked) >= diskAskEvery || now.Before(r.asked) {
		r.asked = now
		r.note(r.ask())
	}
	return r.full
}

func (r *diskRoom) ask() error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(r.dir, &s); err != nil {
		return nil // a disk that cannot be asked says so when it is written to
	}
	if free := s.Bavail * uint64(s.Bsize); free < r.minFree {
		return quality.Errorf(quality.KindFull, "the disk has %d MiB left and %d MiB are kept free: nothing is taken in until there is room (storage.min_free)",
			free>>20, r.minFree>>20)
	}
	return nil
}

// note needs the lock.
func (r *diskRoom) note(full error) {
	switch {
	case full != nil && r.full == nil:
		r.log.Error("disk is nearly full; senders are refused", "dir", r.dir, "err", full)
	case full == nil && r.full != nil:
		r.log.Info("disk has room again", "dir", r.dir)
	}
	r.full = full
}

func newDiskRoom(dir string, minFree int64, log *slog.Logger) (*diskRoom, error) {
	if minFree < 0 {
		return nil, fmt.Errorf("room to keep free: %d is negative", minFree)
	}
	return &diskRoom{dir: dir, minFree: uint64(minFree), log: log, now: time.Now}, nil
}
