package sampling

import (
	"strings"

	"github.com/cespare/xxhash/v2"
)

// draw is the random number of an output, from 0 to 2^56 - 1: it is kept by a rate p when it is below
// p * 2^56. It is 2^56 - 1 - R for the randomness R of OpenTelemetry, which keeps R >= T for the threshold
// T = (1 - p) * 2^56. Both say the same, and so does a sampler of any vendor that follows the rule.
type draw struct {
	number uint64
	// shared: samplers before this one drew the same number. Otherwise theirs is independent of ours.
	shared bool
	// up is the probability with which a sampler before this one has kept the output.
	up chance
}

// drawOf finds the number of a unit. A trace id is believed to be random in its last 7 bytes, as W3C Trace
// Context demands; one that says otherwise by "rv" is believed too. Any other id is hashed.
func drawOf(u *Unit) draw {
	threshold, rv := traceState(u.TraceState)
	d := draw{up: threshold}
	switch r, ok := traceRandomness(u.Trace); {
	case rv != noRandomness && u.Trace != "":
		d.number, d.shared = rv, true
	case ok:
		d.number, d.shared = uint64(certain)-1-r, true
	case u.Trace != "":
		d.number = hashed(u.Trace)
	default:
		d.number = hashed(u.ID)
	}
	if d.shared && !d.up.takes(d.number) {
		// The sender cannot have kept this by that threshold; OpenTelemetry says to forget it.
		d.up = certain
	}
	return d
}

func hashed(id string) uint64 { return xxhash.Sum64String(id) >> 8 }

// hexDigits holds 1 + the value of each hexadecimal digit.
var hexDigits = func() (t [256]byte) {
	for i := range byte(10) {
		t['0'+i] = 1 + i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 11+i, 11+i
	}
	return t
}()

func parseHex(s string) (v uint64, ok bool) {
	for i := range len(s) {
		d := hexDigits[s[i]]
		if d == 0 {
			return 0, false
		}
		v = v<<4 | uint64(d-1)
	}
	return v, s != ""
}

// traceRandomness is the last 7 bytes of a trace id of 16 bytes in hex.
func traceRandomness(trace string) (uint64, bool) {
	if len(trace) != 32 {
		return 0, false
	}
	high, ok1 := parseHex(trace[:16])
	low, ok2 := parseHex(trace[16:])
	return low & (1<<56 - 1), ok1 && ok2 && high|low != 0
}

const (
	noRandomness  = ^uint64(0)
	maxTraceState = 4096 // bytes; W3C asks for 512, and a longer one is not worth the time
	digits        = 14   // hexadecimal, of 56 bits
)

// traceState reads the entry "ot" of a W3C trace state: the probability of its threshold "th", certain when
// there is none, and the draw of its randomness "rv", or noRandomness. What is malformed counts as absent.
func traceState(s string) (chance, uint64) {
	if s == "" || len(s) > maxTraceState {
		return certain, noRandomness
	}
	for s != "" {
		var member string
		member, s, _ = strings.Cut(s, ",")
		if value, ok := strings.CutPrefix(strings.Trim(member, " \t"), "ot="); ok {
			return otValue(value)
		}
	}
	return certain, noRandomness
}

func otValue(s string) (chance, uint64) {
	up, rv := certain, noRandomness
	for s != "" {
		var field string
		field, s, _ = strings.Cut(s, ";")
		key, value, _ := strings.Cut(field, ":")
		v, ok := parseHex(value)
		switch {
		case !ok || len(value) > digits:
		case key == "th": // trailing zeros may be left out
			up = certain - chance(v<<(4*(digits-len(value))))
		case key == "rv" && len(value) == digits:
			rv = uint64(certain) - 1 - v
		}
	}
	return up, rv
}

// mix makes another number of the same grain from one, as good as independent of it for whoever does not know the key.
// (The finaliser of SplitMix64.)
func mix(number, key uint64) uint64 {
	x := number ^ key
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return (x ^ x>>31) >> 8
}
