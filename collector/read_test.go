package collector_test

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/collector"
)

func TestReadSamples(t *testing.T) {
	good := `{"feature":"f","output":"x"}`
	for name, tt := range map[string]struct {
		in     string
		good   int
		errors []string
	}{
		"lines":             {good + "\n\n" + good + "\n", 2, nil},
		"array":             {"[" + good + "," + good + "]", 2, nil},
		"object":            {good, 1, nil},
		"a bad line":        {good + "\n{\"feature\":\n" + good, 2, []string{"line 2: broken JSON"}},
		"an unknown field":  {good + "\n" + `{"feature":"f","output":"x","scoer":1}`, 1, []string{`line 2: unknown field "scoer"`}},
		"no feature":        {`[{"output":"x"},` + good + `]`, 1, []string{`index 0: field "feature": required`}},
		"array not closed":  {"[" + good, 0, []string{"not closed"}},
		"nothing":           {"", 0, []string{"empty"}},
		"out of all bounds": {`{"feature":"f","output":"x","time":"2900-01-01T00:00:00Z"}`, 0, []string{`field "time"`}},
	} {
		var n int
		var errs []string
		for _, err := range collector.ReadSamples(strings.NewReader(tt.in)) {
			if err != nil {
				errs = append(errs, err.Error())
				continue
			}
			n++
		}
		if n != tt.good || len(errs) != len(tt.errors) {
			t.Errorf("%s: got %d samples and %q, want %d and %q", name, n, errs, tt.good, tt.errors)
			continue
		}
		for i, want := range tt.errors {
			if !strings.Contains(errs[i], want) {
				t.Errorf("%s: got %q, want it to hold %q", name, errs[i], want)
			}
		}
	}
}
