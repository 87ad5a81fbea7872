package shelf_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/auth"
	"github.com/asgood-dev/asgood/internal/auth/shelf"
	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
)

type note struct {
	N int `json:"n"`
}

func bucket(t *testing.T) auth.Store {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	kv, err := b.Bucket(t.Context(), "notes")
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

// open is a shelf of one process, which runs until the test ends.
func open(t *testing.T, store auth.Store, most int) *shelf.Shelf[note] {
	t.Helper()
	s, err := shelf.Open[note](t.Context(), shelf.Options{Store: store, Name: "notes", Max: most})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit, tick := time.NewTimer(10*time.Second), time.NewTicker(time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for !ok() {
		select {
		case <-limit.C:
			t.Fatalf("%s did not come", what)
		case <-tick.C:
		}
	}
}

func TestAShelf(t *testing.T) {
	store := bucket(t)
	a, b := open(t, store, 2), open(t, store, 2)
	if err := a.Create(t.Context(), "x", note{1}); err != nil {
		t.Fatal(err)
	}
	if v, ok := a.Get("x"); !ok || v.N != 1 || a.Len() != 1 {
		t.Errorf("at once: got %v %v", v, ok)
	}
	wait(t, "the note in the other process", func() bool { v, ok := b.Get("x"); return ok && v.N == 1 })
	if err := b.Create(t.Context(), "x", note{2}); quality.KindOf(err) != quality.KindConflict {
		t.Errorf("twice: got %v", err)
	}
	if err := a.Create(t.Context(), "y", note{2}); err != nil {
		t.Fatal(err)
	}
	if err := a.Create(t.Context(), "z", note{3}); quality.KindOf(err) != quality.KindConflict || !strings.Contains(err.Error(), "at most 2") {
		t.Errorf("a third: got %v", err)
	}
	if v, err := a.Revise(t.Context(), "x", func(n *note) error { n.N = 7; return nil }); err != nil || v.N != 7 {
		t.Errorf("got %v %v", v, err)
	}
	if v, err := a.Revise(t.Context(), "x", func(*note) error { return shelf.ErrSame }); err != nil || v.N != 7 {
		t.Errorf("the same: got %v %v", v, err)
	}
	no := errors.New("no")
	if _, err := a.Revise(t.Context(), "x", func(*note) error { return no }); !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	if _, err := a.Revise(t.Context(), "w", func(*note) error { return nil }); quality.KindOf(err) != quality.KindNotFound {
		t.Errorf("nothing there: got %v", err)
	}
	if err := a.Delete(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if _, ok := a.Get("x"); ok {
		t.Error("removed, and there")
	}
	wait(t, "the removal in the other process", func() bool { _, ok := b.Get("x"); return !ok })
	if err := a.Delete(t.Context(), "x"); err != nil {
		t.Errorf("once more: got %v", err)
	}
	if err := b.Create(t.Context(), "x", note{9}); err != nil {
		t.Fatal(err)
	}
	wait(t, "the note made again", func() bool { v, ok := a.Get("x"); return ok && v.N == 9 })
	if all := a.All(); len(all) != 2 || all[0].N != 9 || all[1].N != 2 {
		t.Errorf("got %v", all)
	}
}

// Many change one document at once, from two processes: no change is lost, and all see the last.
func TestRevisingTogether(t *testing.T) {
	store := bucket(t)
	shelves := []*shelf.Shelf[note]{open(t, store, 9), open(t, store, 9)}
	if err := shelves[0].Create(t.Context(), "x", note{}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				_, err := shelves[i%2].Revise(t.Context(), "x", func(n *note) error { n.N++; return nil })
				if err != nil && quality.KindOf(err) != quality.KindConflict {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					done++
					mu.Unlock()
				}
			}
		})
		wg.Go(func() { shelves[i%2].All(); shelves[i%2].Len() })
	}
	wg.Wait()
	for _, s := range shelves {
		wait(t, fmt.Sprintf("%d changes", done), func() bool { v, _ := s.Get("x"); return v.N == done })
	}
}

// A document that nobody can read is none, and keeps nobody from the others.
func TestADocumentThatIsNotReadable(t *testing.T) {
	store := bucket(t)
	for key, text := range map[string]string{"bad": "{", "good": `{"n":1}`} {
		if _, err := store.Create(t.Context(), key, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, store, 9)
	if _, ok := s.Get("bad"); ok || s.Len() != 1 {
		t.Errorf("got %v", s.All())
	}
	if _, err := s.Revise(t.Context(), "bad", func(*note) error { return nil }); err == nil || !strings.Contains(err.Error(), `decoding "bad" of the notes`) {
		t.Errorf("got %v", err)
	}
	if _, err := shelf.Open[note](t.Context(), shelf.Options{Name: "notes"}); err == nil {
		t.Error("without a store: want an error")
	}
}
