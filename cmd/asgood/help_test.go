package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// Help is read on narrow screens too. Examples are to be copied and may be longer.
func TestHelpFitsTheScreen(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		got := run(t, "", append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
		for line := range strings.Lines(strings.Replace(got.out, cmd.Example, "", 1)) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > helpWidth {
				t.Errorf("%s --help: a line of %d characters: %s", cmd.CommandPath(), n, line)
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root())
}
