package config_test

import (
	"strings"
	"testing"

	"github.com/asgood-dev/asgood/internal/config"
)

func TestParseAnchors(t *testing.T) {
	line := `{"output":"Paris.","human":5}` + "\n"
	got, err := config.ParseAnchors([]byte(strings.Repeat(line, 4) + "\n" + `{"id":"x","output":"Rome."}`))
	if err != nil || len(got) != 5 || got[1].Sample.ID != "2" || *got[1].Human != 5 || got[4].Sample.ID != "x" || got[4].Human != nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	for name, x := range map[string]struct{ text, want string }{
		"too few":       {line, "1 anchors, want 5 to 500"},
		"unknown field": {`{"output":"a","mark":1}`, `line 1: json: unknown field "mark"`},
		"no output":     {line + `{"input":"a"}`, `line 2: field "output": required`},
		"twice":         {`{"id":"a","output":"a"}` + "\n" + `{"id":"a","output":"b"}`, "line 2: the same id as in line 1"},
		"two objects":   {`{"output":"a"} {"output":"b"}`, "line 1: want one JSON object"},
		"no JSON":       {"Paris", "line 1: "},
		"behind it":     {`{"output":"a"} ]`, "line 1: want one JSON object"},
		"binary":        {"\x00\x01\x02\xff\xfe", "line 1: "},
		"NaN":           {`{"output":"a","human":NaN}`, "line 1: "},
		"beyond":        {`{"output":"a","human":1e999}`, "line 1: "},
	} {
		if _, err := config.ParseAnchors([]byte(x.text)); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v, want %q", name, err, x.want)
		}
	}
}

// A file that was edited elsewhere begins with a mark and ends its lines in two characters.
func TestAnchorsFromElsewhere(t *testing.T) {
	got, err := config.ParseAnchors([]byte("\ufeff" + strings.Repeat(`{"output":"=1+1"}`+"\r\n", 5)))
	if err != nil || len(got) != 5 || got[0].Sample.Output.Text != "=1+1" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzAnchors(f *testing.F) {
	f.Add([]byte(strings.Repeat(`{"output":"Paris.","human":5}`+"\n", 5)))
	f.Add([]byte(`{"output":[{"role":"assistant","content":"a"}],"human":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		anchors, err := config.ParseAnchors(data)
		if (err == nil) != (len(anchors) > 0) {
			t.Errorf("%d anchors and %v", len(anchors), err)
		}
	})
}
