package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
)

// terminal reports whether a person watches standard error.
func terminal() bool {
	info, err := os.Stderr.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress counts on standard error where a person watches, and says nothing in scripts.
func progress(cmd *cobra.Command, what string) func(n int) {
	if !terminal() {
		return func(int) {}
	}
	return func(n int) {
		if n%10_000 == 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "\r%d %s ...", n, what)
		}
	}
}

// progressEvery is how often a line of progress is written anew.
const progressEvery = 200 * time.Millisecond

// importProgress shows one line of progress for each file.
func importProgress(cmd *cobra.Command) func(app.ImportProgress) {
	if !terminal() {
		return func(app.ImportProgress) {}
	}
	var file string
	var began, shown time.Time
	return func(p app.ImportProgress) {
		now := time.Now()
		if p.File != file {
			file, began, shown = p.File, now, time.Time{}
		}
		if now.Sub(shown) >= progressEvery || p.Fraction == 1 {
			shown = now
			fmt.Fprintf(cmd.ErrOrStderr(), "\r\x1b[K%s", progressText(p, now.Sub(began)))
			if p.Fraction == 1 {
				fmt.Fprint(cmd.ErrOrStderr(), "\r\x1b[K") // what is left on the screen is the result
			}
		}
	}
}

// progressText says how far an import is after some time: rows and their rate, and, where the size is
// known, the percentage and the time left.
func progressText(p app.ImportProgress, elapsed time.Duration) string {
	text := fmt.Sprintf("%s: %d rows", p.File, p.Rows)
	if elapsed >= time.Second {
		text += fmt.Sprintf(", %.0f rows/s", float64(p.Rows)/elapsed.Seconds())
	}
	if p.Fraction < 0 {
		return text
	}
	text += fmt.Sprintf(", %.0f %%", 100*p.Fraction)
	if done := p.Fraction - p.From; done > 0 && elapsed >= time.Second {
		left := time.Duration(float64(elapsed) * (1 - p.Fraction) / done)
		text += fmt.Sprintf(", %v left", left.Round(time.Second))
	}
	return text
}
