package bus_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
)

func bucket(t testing.TB, b *bus.Bus, name string) *bus.Bucket {
	t.Helper()
	kv, err := b.Bucket(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func TestBucket(t *testing.T) {
	onBoth(t, func(t *testing.T, o bus.Options) {
		ctx := t.Context()
		kv := bucket(t, open(t, o), "things")
		if keys, err := kv.Keys(ctx); err != nil || len(keys) != 0 {
			t.Errorf("new bucket: got keys %q (%v)", keys, err)
		}
		if _, _, err := kv.Get(ctx, "a"); quality.KindOf(err) != quality.KindNotFound {
			t.Errorf("got %v, want not found", err)
		}
		rev, err := kv.Create(ctx, "a", []byte("1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Create(ctx, "a", []byte("2")); quality.KindOf(err) != quality.KindConflict {
			t.Errorf("create twice: got %v, want a conflict", err)
		}
		newer, err := kv.Update(ctx, "a", []byte("3"), rev)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Update(ctx, "a", []byte("4"), rev); quality.KindOf(err) != quality.KindConflict {
			t.Errorf("update of an old revision: got %v, want a conflict", err)
		}
		if data, got, err := kv.Get(ctx, "a"); err != nil || string(data) != "3" || got != newer {
			t.Errorf("got %q of revision %d (%v)", data, got, err)
		}
		for range 2 { // the second removes what is not there
			if err := kv.Delete(ctx, "a"); err != nil {
				t.Error(err)
			}
		}
		if _, _, err := kv.Get(ctx, "a"); quality.KindOf(err) != quality.KindNotFound {
			t.Errorf("after removal: got %v, want not found", err)
		}
		if keys, err := kv.Keys(ctx); err != nil || len(keys) != 0 {
			t.Errorf("after removal: got keys %q (%v)", keys, err)
		}
		if _, err := kv.Create(ctx, "a", []byte("5")); err != nil {
			t.Errorf("create after removal: %v", err)
		}
		for _, key := range []string{"", strings.Repeat("x", 1025)} {
			if _, err := kv.Put(ctx, key, nil); quality.KindOf(err) != quality.KindInvalid {
				t.Errorf("key of %d bytes: got %v, want invalid", len(key), err)
			}
		}
	})
}

func TestAnyStringIsAKey(t *testing.T) {
	kv := bucket(t, open(t, bus.Options{}), "odd")
	have := map[string]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.OneOf(rapid.StringN(1, 20, 200), rapid.SampledFrom([]string{".", "a.b", "*", ">", "=41", "A", "a/b c", "\x00", "é"})).Draw(rt, "key")
		if _, err := kv.Put(context.Background(), key, []byte(key)); err != nil {
			rt.Fatal(err)
		}
		have[key] = true
		if data, _, err := kv.Get(context.Background(), key); err != nil || string(data) != key {
			rt.Fatalf("got %q (%v)", data, err)
		}
	})
	keys, err := kv.Keys(t.Context())
	if err != nil || len(keys) != len(have) {
		t.Errorf("got %d keys (%v), want %d", len(keys), err, len(have))
	}
	for _, key := range keys {
		if !have[key] {
			t.Errorf("got key %q, which was not stored", key)
		}
	}
}

func TestWatch(t *testing.T) {
	kv := bucket(t, open(t, bus.Options{}), "watched")
	put := func(key, value string) {
		if _, err := kv.Put(t.Context(), key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	put("a", "1")
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan string, 10)
	done := make(chan error)
	go func() {
		done <- kv.Watch(ctx, func(key string, data []byte, _ uint64, deleted bool) {
			if deleted {
				data = []byte("gone")
			}
			seen <- key + "=" + string(data)
		})
	}()
	got := []string{<-seen}
	put("b", "2")
	got = append(got, <-seen)
	if err := kv.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if got = append(got, <-seen); !slices.Equal(got, []string{"a=1", "b=2", "a=gone"}) {
		t.Errorf("got %q", got)
	}
	cancel()
	<-done
}

func TestDocuments(t *testing.T) {
	docs := bus.NewDocuments[quality.ProbeStatus](bucket(t, open(t, bus.Options{}), "docs"))
	want := quality.ProbeStatus{Feature: "f", Probe: "p", State: quality.Down}
	if _, err := docs.Put(t.Context(), "f/p", want); err != nil {
		t.Fatal(err)
	}
	if all, err := docs.All(t.Context()); err != nil || len(all) != 1 || all[0] != want {
		t.Errorf("got %+v (%v)", all, err)
	}
}
