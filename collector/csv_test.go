package collector_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/asgood-dev/asgood/collector"
	"github.com/asgood-dev/asgood/internal/quality"
)

func TestReadCSV(t *testing.T) {
	const file = "\ufeffmodel,id,question,answer,took,lang,ok,when\n" +
		"gpt-4,7,why?,because,1.5,de,true,2026-03-01T12:00:00Z\n" +
		"gpt-4,8,\"two\nlines\",\"=1+1\",x,de,0,2026-03-01 13:00:00\n" +
		"gpt-4,9,how?,so,,en,,1772370000\n" +
		"gpt-4,10,short\n"
	mapping, err := collector.ParseMap("time=when,input=question,output=answer,model=model,id={model}/{id},latency_s=took,attributes.language=lang,scores.ok=ok")
	if err != nil {
		t.Fatal(err)
	}
	var samples []quality.Sample
	var bad []int
	for s, err := range collector.ReadCSV(strings.NewReader(file), collector.CSVOptions{Feature: "f", Map: mapping}) {
		var row *collector.RowError
		switch {
		case errors.As(err, &row):
			bad = append(bad, row.Line)
		case err != nil:
			t.Fatal(err)
		default:
			samples = append(samples, s)
		}
	}
	if len(samples) != 2 || len(bad) != 2 || bad[0] != 3 || bad[1] != 6 {
		t.Fatalf("got %d samples, bad lines %v, want 2 samples, bad lines 3 and 6", len(samples), bad)
	}
	first := samples[0]
	if first.ID != "gpt-4/7" || first.LatencyMS != 1500 || first.Attributes["language"] != "de" || first.Scores["ok"] != 1 {
		t.Errorf("got %+v", first)
	}
	if _, scored := samples[1].Scores["ok"]; scored || samples[1].LatencyMS != 0 {
		t.Errorf("empty cells were read as values: %+v", samples[1])
	}
	if want := time.Unix(1772370000, 0).UTC(); !samples[1].Time.Equal(want) {
		t.Errorf("got time %s, want %s", samples[1].Time, want)
	}
}

func TestReadCSVRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ file, mapping, want string }{
		"unknown column":  {"a,b\n1,2\n", "output=c", `no column "c"`},
		"unknown in text": {"a,b\n1,2\n", "output=x{c}", `no column "c"`},
		"empty file":      {"", "output=a", "header"},
	} {
		t.Run(name, func(t *testing.T) {
			mapping, err := collector.ParseMap(tt.mapping)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range collector.ReadCSV(strings.NewReader(tt.file), collector.CSVOptions{Feature: "f", Map: mapping}) {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want an error with %q", err, tt.want)
				}
			}
		})
	}
}

func TestParseMapRefuses(t *testing.T) {
	for _, text := range []string{"", "output", "output=", "=a", "colour=a", "output=a,output=b", "attributes.=x"} {
		if _, err := collector.ParseMap(text); quality.KindOf(err) != quality.KindInvalid {
			t.Errorf("%q: got %v, want an invalid error", text, err)
		}
	}
}

func TestAmbiguousTimeAsksForLayout(t *testing.T) {
	o := collector.CSVOptions{Feature: "f", Map: map[string]string{"time": "t", "output": "o"}}
	const file = "t,o\n\"07/02/2023, 21:28:40\",x\n"
	for _, err := range collector.ReadCSV(strings.NewReader(file), o) {
		if err == nil || !strings.Contains(err.Error(), "--time-layout") {
			t.Errorf("got %v, want the flag named", err)
		}
	}
	o.TimeLayout = "01/02/2006, 15:04:05"
	for s, err := range collector.ReadCSV(strings.NewReader(file), o) {
		if want := time.Date(2023, 7, 2, 21, 28, 40, 0, time.UTC); err != nil || !s.Time.Equal(want) {
			t.Errorf("got %v, %v, want %v", s.Time, err, want)
		}
	}
}
