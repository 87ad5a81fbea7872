package probe_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/asgood-dev/asgood/collector/probe"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestBeatBodies(t *testing.T) {
	m := &memory{}
	s := run(t, m, quality.ProbeSpec{Heartbeat: "x", Every: time.Hour}, nil, nil)
	for _, tt := range []struct {
		method, name, body string
		code               int
		want               string
	}{
		{"POST", "x", "", 200, `"status":"ok"`},
		{"POST", "x", " \n", 200, `"status":"ok"`},
		{"POST", "x", `{}`, 200, `"status":"ok"`},
		{"POST", "x", `{"status":"ok","message":"42 rows"}`, 200, `"status":"ok"`},
		{"POST", "x", `{"status":"fail"}`, 200, `"status":"fail"`},
		{"GET", "x", `ignored`, 200, `"next_by"`},
		{"HEAD", "x", "", 200, ""},
		{"POST", "y", "", 404, "no probe waits"},
		{"POST", "x%2Fy", "", 404, ""},
		{"POST", "x", `done`, 400, "want no body"},
		{"POST", "x", `{"status":"good"}`, 400, "want ok or fail"},
		{"POST", "x", `{"state":"fail"}`, 400, `unknown field \"state\"`},
		{"POST", "x", `{"status":1}`, 400, `field \"status\": want text`},
		{"POST", "x", `{} {}`, 400, "more than one value"},
		{"POST", "x", `{"message":"` + strings.Repeat("x", 20000) + `"}`, 413, "at most 16384 bytes"},
	} {
		if code, body := s.call(tt.method, tt.name, tt.body); code != tt.code || !strings.Contains(body, tt.want) {
			t.Errorf("%s %s %.40s: got %d %s, want %d %s", tt.method, tt.name, tt.body, code, body, tt.code, tt.want)
		}
	}
	m.mu.Lock()
	m.err = errors.New("password of the store")
	m.mu.Unlock()
	code, body := s.call("POST", "x", `{"status":"fail"}`)
	if code != http.StatusServiceUnavailable || strings.Contains(body, "password") {
		t.Errorf("got %d %s, want 503 without the cause", code, body)
	}
}

func TestBeat(t *testing.T) {
	const every, grace = time.Hour, 5 * time.Minute
	seen := probe.Beat{Name: "x", At: at(0), Seen: true}
	for _, tt := range []struct {
		name      string
		beat      probe.Beat
		watched   int // minute of the last watch; -1 where there was none
		from, now int // minutes of the begin of the watch and of the look
		want      string
	}{
		{"in time", seen, 10, 11, 64, "up"},
		{"late", seen, 64, -1, 65, "down"},
		{"restarted, not late yet", seen, 10, 20, 64, "up"},
		{"restarted before it was late: perhaps missed", seen, 10, 20, 65, "unknown"},
		{"still perhaps missed", seen, 10, 20, 84, "unknown"},
		{"not excused twice", seen, 10, 20, 85, "down"},
		{"away when it was due", seen, 50, 80, 81, "unknown"},
		{"away for long", seen, 50, 1000, 1064, "unknown"},
		{"away for long and none since", seen, 50, 1000, 1065, "down"},
		{"late before it was away", seen, 66, 80, 81, "down"},
		{"never watched before", seen, -1, 200, 201, "unknown"},
		{"clock set back", seen, 10, -30, 34, "up"},
		{"clock set back and none since", seen, 10, -30, 35, "down"},
		{"first", probe.Beat{Name: "x"}, -1, 0, 64, "unknown"},
		{"first late", probe.Beat{Name: "x"}, -1, 0, 65, "down"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.beat
			if tt.from != -1 {
				watched := time.Time{}
				if tt.watched >= 0 {
					watched = at(tt.watched)
				}
				b = b.Resume(watched, at(tt.from), every+grace)
			}
			got := "up"
			switch err := b.Judge(at(tt.now), every, grace); {
			case probe.IsUnknown(err):
				got = "unknown"
			case err != nil:
				got = "down"
			}
			if got != tt.want {
				t.Errorf("got %s, want %s (%+v)", got, tt.want, b)
			}
		})
	}
}

// A thing that beats in time, seen by a watch with gaps that each hide some beats, is never down.
func TestNoGapMakesAHealthyBeatLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const every, grace = 60 * time.Minute, 5 * time.Minute
		var b probe.Beat
		now, watched, next := 0, time.Time{}, rapid.IntRange(0, 60).Draw(t, "first")
		b = b.Resume(watched, at(now), every+grace)
		for range 6 {
			gap, length := now+rapid.IntRange(130, 500).Draw(t, "on"), rapid.IntRange(1, 300).Draw(t, "off")
			for ; now < gap+length; now++ {
				if now == gap {
					watched = at(now)
				}
				off := now >= gap
				if now == next {
					next += rapid.IntRange(1, 64).Draw(t, "pause")
					if !off {
						b = probe.Beat{Name: "x", At: at(now), Seen: true}
					}
				}
				if err := b.Judge(at(now), every, grace); !off && err != nil && !probe.IsUnknown(err) {
					t.Fatalf("down at minute %d: %v (%+v)", now, err, b)
				}
			}
			b = b.Resume(watched, at(now), every+grace)
		}
	})
}

func FuzzBeatBody(f *testing.F) {
	for _, s := range []string{"", "{}", `{"status":"fail","message":"x"}`, `{"status":"ok"}`, `{"message":"\u0000\u001b[31m"}`, "[1]", "{\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, message, err := probe.ParseBeat(data)
		if err != nil {
			if quality.KindOf(err) != quality.KindInvalid {
				t.Errorf("%q: got %v, want an invalid error", data, err)
			}
			return
		}
		if !utf8.ValidString(message) || utf8.RuneCountInString(message) > 503 {
			t.Errorf("%q: got message %q", data, message)
		}
		for _, r := range message {
			if !unicode.IsPrint(r) {
				t.Errorf("%q: message holds %q", data, r)
			}
		}
	})
}
