package main

import (
	"fmt"
	"strings"
	"testing"
)

const rows = "name\tvalue\tnote\nfirst\t1\tshort\nsecond\t22\t\n"

func TestTable(t *testing.T) {
	columns := "name    value  note\nfirst   1      short\nsecond  22     \n"
	lists := "name   first\nvalue  1\nnote   short\n\nname   second\nvalue  22\n"
	for _, c := range []struct {
		width int
		want  string
	}{{0, columns}, {80, columns}, {20, columns}, {19, lists}} {
		var b strings.Builder
		table := &table{w: &b, width: c.width}
		fmt.Fprint(table, rows)
		if err := table.Flush(); err != nil || b.String() != c.want {
			t.Errorf("width %d: got %v and\n%s\nwant\n%s", c.width, err, b.String(), c.want)
		}
	}
}

// Two tables in one have names of their own, and a row may have fewer cells than there are names.
func TestTwoTables(t *testing.T) {
	var b strings.Builder
	table := &table{w: &b, width: 10}
	fmt.Fprint(table, "one\ttwo\na\tb\n\nthree\tfour\nlonger than ten\n")
	if err := table.Flush(); err != nil || b.String() != "one  a\ntwo  b\n\nthree  longer than ten\n" {
		t.Errorf("got %v and\n%s", err, b.String())
	}
}

func TestNoScreenHasNoWidth(t *testing.T) {
	if got := screenWidth(&strings.Builder{}); got != 0 {
		t.Errorf("got %d", got)
	}
}

func TestNumber(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0.000", 0.84: "0.840", -0.338: "-0.338", 0.01: "0.010", 0.00123: "0.0012", -0.00123: "-0.0012", 4.2137: "4.214",
		12.3456: "12.35", 342.123: "342.1", 12345.6: "12346",
	} {
		if got := number(x); got != want {
			t.Errorf("%v: got %s, want %s", x, got, want)
		}
	}
}
