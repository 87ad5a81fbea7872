package quality_test

import (
	"testing"

	"github.com/asgood-dev/asgood/internal/quality"
)

func TestProbeLabel(t *testing.T) {
	for want, p := range map[string]quality.ProbeSpec{
		"https://x.example/health": {HTTP: "https://user:pw@x.example/health?key=secret#part"},
		"unreadable URL":           {HTTP: "http://%zz?key=secret"},
		"API":                      {HTTP: "https://x.example/health", Name: "API"},
		"tcp x:1":                  {TCP: "x:1"},
		"dns x":                    {DNS: "x", Type: "A"},
		"dns x MX":                 {DNS: "x", Type: "MX"},
		"tls x:443":                {TLS: "x:443"},
		"icmp x":                   {ICMP: "x"},
		"grpc x:443":               {GRPC: "x:443"},
		"grpc x:443 a.B":           {GRPC: "x:443", Service: "a.B"},
		"heartbeat import":         {Heartbeat: "import"},
		"traffic":                  {Traffic: &quality.TrafficProbe{}},
		"":                         {},
	} {
		if got, again := p.Label(), p.WithDefaults(); got != want || again.Label() != want {
			t.Errorf("got %q, with defaults %q, want %q", got, again.Label(), want)
		}
	}
}

func TestStatusRange(t *testing.T) {
	for s, want := range map[string][2]int{"204": {204, 204}, "200-299": {200, 299}, "100-599": {100, 599}} {
		if low, high, ok := quality.StatusRange(s); !ok || low != want[0] || high != want[1] {
			t.Errorf("%s: got %d, %d, %v", s, low, high, ok)
		}
	}
	for _, s := range []string{"", "-", "2xx", "99", "600", "299-200", "200-", "-200", "200-300-400", " 200"} {
		if _, _, ok := quality.StatusRange(s); ok {
			t.Errorf("%q is taken", s)
		}
	}
}
