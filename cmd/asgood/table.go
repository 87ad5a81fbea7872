package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"golang.org/x/term"
)

// table prints rows of cells, separated by tabs, in columns. The first line, and each that follows an empty
// one, names the columns. Where a person watches a screen that is too narrow for a row, every row is
// printed as a list of names and cells instead, as a wrapped table cannot be read. A script always gets columns.
type table struct {
	w     io.Writer
	width int // characters of the screen; 0 means no bound
	text  strings.Builder
}

func newTable(w io.Writer) *table { return &table{w: w, width: screenWidth(w)} }

// screenWidth is how many characters fit into a line of w, 0 where w is no screen.
func screenWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// Write adds rows. It never fails.
func (t *table) Write(p []byte) (int, error) { return t.text.Write(p) }

// Flush prints what was added.
func (t *table) Flush() error {
	var b strings.Builder
	columns := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	fmt.Fprint(columns, t.text.String())
	if err := columns.Flush(); err != nil { // writes to memory
		return err
	}
	out := b.String()
	if t.width > 0 && widest(out) > t.width {
		out = lists(t.text.String())
	}
	t.text.Reset()
	_, err := io.WriteString(t.w, out)
	return err
}

func widest(text string) (n int) {
	for line := range strings.Lines(text) {
		n = max(n, utf8.RuneCountInString(strings.TrimRight(line, " \n")))
	}
	return n
}

// lists writes each row of tables as a list, with an empty line between two rows.
func lists(text string) string {
	var b strings.Builder
	var names []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "":
			names = nil
		case names == nil:
			names = strings.Split(line, "\t")
		default:
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			list(&b, names, strings.Split(line, "\t"))
		}
	}
	return b.String()
}

func list(b *strings.Builder, names, cells []string) {
	pad := 0
	for _, name := range names {
		pad = max(pad, utf8.RuneCountInString(name))
	}
	for i, cell := range cells {
		name := ""
		if i < len(names) {
			name = names[i]
		}
		if cell != "" {
			fmt.Fprintf(b, "%-*s  %s\n", pad, name, cell)
		}
	}
}

// figure writes a number for people; nil is a dash.
func figure(x *float64) string {
	if x == nil {
		return "-"
	}
	return number(*x)
}

// number writes three decimals, fewer of a large number, and two digits of a small one, which three decimals
// would make nothing of.
func number(x float64) string {
	switch a := math.Abs(x); {
	case a >= 1000:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case a >= 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case a >= 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case a >= 0.01, a == 0:
		return strconv.FormatFloat(x, 'f', 3, 64)
	default:
		return strconv.FormatFloat(x, 'g', 2, 64)
	}
}

func interval(x *[2]float64) string {
	if x == nil {
		return "-"
	}
	return number(x[0]) + " to " + number(x[1])
}
