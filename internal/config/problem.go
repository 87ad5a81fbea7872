package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with the file, and where. Line and column count from 1.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path"`           // of the key, such as features[0].monitors[1].metric; empty for the file
	Text    string `json:"text,omitempty"` // the value as written; empty for lists, mappings and secrets
	Message string `json:"message"`
}

// String returns the problem as a line that editors and terminals can follow.
func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	switch {
	case p.Text != "":
		return s + p.Path + " " + strconv.Quote(p.Text) + ": " + p.Message
	case p.Path != "":
		return s + p.Path + ": " + p.Message
	default:
		return s + p.Message
	}
}

// Problems is all that is wrong with a file, in its order.
type Problems []Problem

// Error returns one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// nearest returns the known word that a misspelt one most likely means, or nothing.
func nearest(word string, known []string) string {
	best, limit := "", len(word)/3+2
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < limit {
			best, limit = k, d
		}
	}
	return best
}

// distance counts the insertions, deletions and replacements of bytes that lead from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
