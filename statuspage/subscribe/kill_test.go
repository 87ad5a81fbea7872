package subscribe

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/internal/bus"
	"github.com/asgood-dev/asgood/internal/mail"
	"github.com/asgood-dev/asgood/internal/quality"
)

const (
	killDir   = "ASGOOD_TEST_SUBSCRIBE_DIR"
	killCount = 400
)

// recorder writes down the id of every mail, beyond the end of the process.
type recorder struct{ f *os.File }

func (r recorder) Send(_ context.Context, m mail.Message) error {
	_, err := r.f.WriteString(m.ID + "\n")
	return err
}
func (recorder) Domain() string { return "acme.example" }
func (recorder) Flush()         {}

// TestSendingProcess is the process that TestKilledInMidSend kills: it tells everybody of one notice.
func TestSendingProcess(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("runs only as the child of TestKilledInMidSend")
	}
	b, err := bus.Open(t.Context(), bus.Options{Dir: filepath.Join(dir, "bus")})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	f, err := os.OpenFile(filepath.Join(dir, "sent"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := newWorld(t, func(o *Options) {
		o.Mailer, o.Subscribers, o.Outbox = recorder{f}, bucket(t, b, "subscribers"), bucket(t, b, "tellings")
	})
	for i := range killCount {
		address := fmt.Sprintf("p%d@example.com", i)
		err := w.s.store.create(t.Context(), Subscriber{ID: w.s.tokens.id(KindEmail, address), Kind: KindEmail, Address: address, State: StateActive, Nonce: newNonce(), CreatedAt: time.Now()})
		if err != nil && quality.KindOf(err) != quality.KindConflict {
			t.Fatal(err)
		}
	}
	if err := w.s.take(t.Context(), published("n1")); err != nil {
		t.Fatal(err)
	}
	w.run()
	eventually(t, "the end of the notice", func() bool {
		data, _, err := w.opts.Outbox.Get(t.Context(), jobKey(KindEmail, "n1"))
		return err == nil && strings.Contains(string(data), `"done"`)
	})
}

func bucket(t *testing.T, b *bus.Bus, name string) *bus.Bucket {
	t.Helper()
	out, err := b.Bucket(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestKilledInMidSend kills a process that is sending, three times, and lets it finish then: everybody has the
// notice, and who has it twice has it under the same id.
func TestKilledInMidSend(t *testing.T) {
	if testing.Short() {
		t.Skip("starts four processes")
	}
	dir := t.TempDir()
	for round := 1; round <= 3; round++ {
		killAt(t, dir, round*killCount/5)
	}
	cmd := sending(t, dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the last process: %v\n%s", err, out)
	}
	times := map[string]int{}
	lines := sent(dir)
	for _, id := range lines {
		times[id]++
	}
	tokens := tokens{[]byte(strings.Repeat("k", 32))}
	for i := range killCount {
		id := messageID("n1", tokens.id(KindEmail, fmt.Sprintf("p%d@example.com", i))) + "@acme.example"
		if times[id] == 0 {
			t.Errorf("p%d never got it", i)
		}
		delete(times, id)
	}
	if len(times) > 0 {
		t.Errorf("%d ids are not of this notice", len(times))
	}
	t.Logf("%d mails to %d subscribers over three kills", len(lines), killCount)
}

func sending(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestSendingProcess$")
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	return cmd
}

// killAt starts the process and kills it once so many mails were sent by all of them.
func killAt(t *testing.T, dir string, n int) {
	t.Helper()
	cmd := sending(t, dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(time.Minute)
	for len(sent(dir)) < n {
		select {
		case <-tick.C:
		case <-late:
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatalf("%d mails were not sent in a minute: %s", n, out.String())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
}

// sent are the ids of the mails so far.
func sent(dir string) []string {
	data, err := os.ReadFile(filepath.Join(dir, "sent"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}
