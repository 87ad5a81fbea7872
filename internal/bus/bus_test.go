package bus_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/quality"
)

func open(t testing.TB, o bus.Options) *bus.Bus {
	t.Helper()
	if o.Dir == "" && o.URL == "" {
		o.Dir = t.TempDir()
	}
	b, err := bus.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func publish(t testing.TB, b *bus.Bus, stream string, n int) {
	t.Helper()
	for i := range n {
		if _, err := b.Publish(t.Context(), stream, bus.Message{Data: fmt.Appendf(nil, "m%d", i+1)}); err != nil {
			t.Fatal(err)
		}
	}
}

func reader(t testing.TB, b *bus.Bus, stream, name string) *bus.Reader {
	t.Helper()
	r, err := b.Reader(t.Context(), stream, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func next(t testing.TB, r *bus.Reader, l bus.BatchLimits) bus.Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b, err := r.Next(ctx, l)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// onBoth runs a test in process and against a server outside.
func onBoth(t *testing.T, test func(*testing.T, bus.Options)) {
	t.Run("embedded", func(t *testing.T) { test(t, bus.Options{Dir: t.TempDir()}) })
	t.Run("outside", func(t *testing.T) {
		s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true,
			StoreDir: t.TempDir(), JetStreamMaxStore: 64 << 30, MaxPayload: 9 << 20, NoSigs: true, NoLog: true}) // what streams may grow to, not what they take
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		if !s.ReadyForConnections(10 * time.Second) {
			t.Fatal("server is not ready")
		}
		test(t, bus.Options{URL: s.ClientURL()})
	})
}

func TestStream(t *testing.T) {
	onBoth(t, func(t *testing.T, o bus.Options) {
		b := open(t, o)
		if err := b.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Last(t.Context(), bus.Scores); quality.KindOf(err) != quality.KindNotFound {
			t.Errorf("newest of an empty stream: got %v, want not found", err)
		}
		first, err := b.Publish(t.Context(), bus.Scores, bus.Message{ID: "a", Source: 7, Data: []byte("one")})
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.Publish(t.Context(), bus.Scores, bus.Message{ID: "a", Source: 7, Data: []byte("one")})
		if err != nil || again != first {
			t.Errorf("the same id again: got sequence %d (%v), want %d", again, err, first)
		}
		m, err := b.Last(t.Context(), bus.Scores)
		if err != nil || m.Seq != first || m.ID != "a" || m.Source != 7 || string(m.Data) != "one" || m.Time.IsZero() {
			t.Errorf("got newest %+v (%v)", m, err)
		}
		publish(t, b, bus.Scores, 5)
		var seqs []uint64
		err = b.Range(t.Context(), bus.Scores, 2, func(m bus.Message) error { seqs = append(seqs, m.Seq); return nil })
		if err != nil || fmt.Sprint(seqs) != "[3 4 5 6]" {
			t.Errorf("got sequences %v (%v), want 3 to 6", seqs, err)
		}
		stop := errors.New("stop")
		if err := b.Range(t.Context(), bus.Scores, 0, func(bus.Message) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("got %v, want the error of the function", err)
		}
	})
}

func TestBatches(t *testing.T) {
	onBoth(t, func(t *testing.T, o bus.Options) {
		b := open(t, o)
		publish(t, b, bus.Samples, 10)
		r := reader(t, b, bus.Samples, "writer")
		one := next(t, r, bus.BatchLimits{Messages: 4, Linger: time.Second})
		two := next(t, r, bus.BatchLimits{Messages: 100, Bytes: 6, Linger: time.Second})
		if at(one) != "SAMPLES:1-4" || at(two) != "SAMPLES:5-7" || len(two.Messages) != 3 || string(two.Messages[0].Data) != "m5" {
			t.Fatalf("got batches %s and %s", one.Token(), two.Token())
		}
		if err := r.Commit(t.Context(), two); quality.KindOf(err) != quality.KindConflict {
			t.Errorf("commit out of order: got %v, want a conflict", err)
		}
		if err := r.Commit(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if lag, err := r.Lag(t.Context()); err != nil || lag != 6 {
			t.Errorf("got lag %d (%v), want 6", lag, err)
		}
		// A crash: what was handed out comes again in the same batch, though more would fit now.
		r = reader(t, b, bus.Samples, "writer")
		if again := next(t, r, bus.BatchLimits{Messages: 100, Linger: time.Second}); again.Token() != two.Token() || len(again.Messages) != 3 {
			t.Errorf("after a restart: got %s, want %s", again.Token(), two.Token())
		}
		if rest := next(t, r, bus.BatchLimits{Messages: 3, Linger: time.Second}); at(rest) != "SAMPLES:8-10" {
			t.Errorf("got %s, want SAMPLES:8-10", rest.Token())
		}
	})
}

func TestNextWaits(t *testing.T) {
	b := open(t, bus.Options{})
	r := reader(t, b, bus.Events, "alerts")
	got := make(chan string)
	go func() {
		batch, err := r.Next(context.Background(), bus.BatchLimits{})
		got <- fmt.Sprint(at(batch), err)
	}()
	publish(t, b, bus.Events, 1)
	if s := <-got; s != "EVENTS:1-1<nil>" {
		t.Errorf("got %s", s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Next(ctx, bus.BatchLimits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want cancelled", err)
	}
	publish(t, b, bus.Events, 1)
	if batch := next(t, r, bus.BatchLimits{}); at(batch) != "EVENTS:2-2" {
		t.Errorf("after a cancelled call: got %s", batch.Token())
	}
}

func TestPurgeKeepsWhatIsNeeded(t *testing.T) {
	b := open(t, bus.Options{})
	publish(t, b, bus.Samples, 10)
	stored := func() (n int, first uint64) {
		err := b.Range(t.Context(), bus.Samples, 0, func(m bus.Message) error {
			if n++; n == 1 {
				first = m.Seq
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, first
	}
	fast, slow := reader(t, b, bus.Samples, "fast"), reader(t, b, bus.Samples, "slow")
	commit := func(r *bus.Reader, n int) {
		batch := next(t, r, bus.BatchLimits{Messages: n, Linger: time.Second})
		if err := r.Commit(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	held := uint64(3)
	b.Hold(bus.Samples, "ids", func() uint64 { return held })
	commit(fast, 10)
	for _, tt := range []struct {
		do    func()
		first uint64
	}{
		{func() {}, 1},                  // slow has read nothing
		{func() { commit(slow, 5) }, 4}, // held at 3
		{func() { held = 10 }, 6},
		{func() { commit(slow, 5) }, 10}, // the newest stays
	} {
		tt.do()
		if err := bus.Purge(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if n, first := stored(); first != tt.first || uint64(n) != 11-tt.first {
			t.Errorf("got %d messages from %d on, want from %d on", n, first, tt.first)
		}
	}
	publish(t, b, bus.Samples, 1)
	if batch := next(t, slow, bus.BatchLimits{}); batch.First != 11 {
		t.Errorf("after a purge: got %s", batch.Token())
	}
}

func TestFullStreamRefuses(t *testing.T) {
	b := open(t, bus.Options{MaxBytes: 16 << 10})
	var err error
	stored := 0
	for range 100 {
		if _, err = b.Publish(t.Context(), bus.Samples, bus.Message{Data: make([]byte, 1000)}); err != nil {
			break
		}
		stored++
	}
	if quality.KindOf(err) != quality.KindUnavailable || stored < 5 {
		t.Errorf("got %v after %d messages, want unavailable", err, stored)
	}
	if m, err := b.Last(t.Context(), bus.Samples); err != nil || m.Seq != uint64(stored) {
		t.Errorf("got newest %d (%v), want %d: what was acknowledged stays", m.Seq, err, stored)
	}
	if _, err := b.Publish(t.Context(), bus.Events, bus.Message{Data: make([]byte, bus.MaxMessage+1)}); quality.KindOf(err) != quality.KindTooLarge {
		t.Errorf("got %v, want too large", err)
	}
}

func TestLargestMessage(t *testing.T) {
	b := open(t, bus.Options{})
	if _, err := b.Publish(t.Context(), bus.Samples, bus.Message{ID: "x", Data: make([]byte, bus.MaxMessage)}); err != nil {
		t.Fatal(err)
	}
	if m, err := b.Last(t.Context(), bus.Samples); err != nil || len(m.Data) != bus.MaxMessage {
		t.Errorf("got %d bytes (%v)", len(m.Data), err)
	}
}

func TestDirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	open(t, bus.Options{Dir: dir})
	_, err := bus.Open(t.Context(), bus.Options{Dir: dir})
	if quality.KindOf(err) != quality.KindConflict || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v, want a conflict that names the directory", err)
	}
}

func TestSmallServerIsRefused(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("server is not ready")
	}
	if _, err := bus.Open(t.Context(), bus.Options{URL: s.ClientURL()}); err == nil || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("got %v, want the setting to change", err)
	}
}

const killDir = "ASGOOD_TEST_KILL_DIR"

// TestPublisher is the process that TestKilled kills.
func TestPublisher(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("runs only as the child of TestKilled")
	}
	b := open(t, bus.Options{Dir: dir})
	for i := 0; ; i++ {
		seq, err := b.Publish(t.Context(), bus.Samples, bus.Message{Data: fmt.Appendf(nil, "m%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("acked %d m%d\n", seq, i)
	}
}

func TestKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nats")
	acked := map[string]string{}
	for range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPublisher$", "-test.v")
		cmd.Env = append(os.Environ(), killDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 50 && lines.Scan(); {
			var seq, text string
			if _, err := fmt.Sscanf(lines.Text(), "acked %s %s", &seq, &text); err == nil {
				acked[seq] = text
				n++
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
	}
	b := open(t, bus.Options{Dir: dir})
	stored := map[string]string{}
	err := b.Range(t.Context(), bus.Samples, 0, func(m bus.Message) error {
		stored[fmt.Sprint(m.Seq)] = string(m.Data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(acked) < 150 {
		t.Fatalf("only %d messages were acknowledged", len(acked))
	}
	for seq, text := range acked {
		if stored[seq] != text {
			t.Errorf("message %s was acknowledged as %q, stored is %q", seq, text, stored[seq])
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			x := open(b, bus.Options{})
			data := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := x.Publish(b.Context(), bus.Samples, bus.Message{Data: data}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	x := open(b, bus.Options{})
	r := reader(b, x, bus.Samples, "writer")
	data := make([]byte, 1<<10)
	for b.Loop() {
		if _, err := x.Publish(b.Context(), bus.Samples, bus.Message{Data: data}); err != nil {
			b.Fatal(err)
		}
		if err := r.Commit(b.Context(), next(b, r, bus.BatchLimits{Messages: 100})); err != nil {
			b.Fatal(err)
		}
	}
}

// at is the token of a batch without its time.
func at(b bus.Batch) string {
	token, _, _ := strings.Cut(b.Token(), "@")
	return token
}
