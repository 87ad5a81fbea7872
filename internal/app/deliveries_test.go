package app

import (
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/quality"
	"github.com/asgood-dev/asgood/internal/wire"
)

// Two readers read a message once; what nobody comes for is let go.
func TestDeliveriesAreReadOnce(t *testing.T) {
	data, err := wire.Marshal(quality.Delivery{Samples: []quality.Sample{{ID: "a", Feature: "bot"}}})
	if err != nil {
		t.Fatal(err)
	}
	s, at := newDeliveries(), time.Unix(1e9, 0)
	first, err1 := s.read(1, at, data)
	second, err2 := s.read(1, at, data)
	third, err3 := s.read(1, at, data)
	if err1 != nil || err2 != nil || err3 != nil || first != second || third == first || first.Samples[0].ID != "a" {
		t.Errorf("got %p %p %p (%v, %v, %v), want the first two the same", first, second, third, err1, err2, err3)
	}
	if again, _ := s.read(1, at.Add(1), data); again == third {
		t.Error("a message of a new stream is taken for one of an old one")
	}
	for i := range uint64(3 * sharedMessages) {
		if _, err := s.read(10+i, at, data); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.kept) > sharedMessages || len(s.order) > sharedMessages || s.bytes != len(data)*len(s.kept) {
		t.Errorf("got %d kept, %d in order, %d bytes", len(s.kept), len(s.order), s.bytes)
	}
	big := make([]byte, sharedBytes/2+1)
	for i := range uint64(10) {
		if _, err := s.read(1e6+i, at, big); err == nil {
			t.Fatal("zeros are no delivery")
		}
	}
	if s.bytes > sharedBytes {
		t.Errorf("got %d bytes kept, want at most %d", s.bytes, sharedBytes)
	}
}
