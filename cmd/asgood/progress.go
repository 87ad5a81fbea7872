package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/asgood-dev/asgood/internal/app"
)

// terminal reports whether a person watches standard error.
func terminal() bool {
	info, err := os.Stderr.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progressEvery is how often a line of progress is written anew.
const progressEvery = 200 * time.Millisecond

// clearLine takes a line of progress from the screen: what is left there is the result.
const clearLine = "\r\x1b[K"

// counter is one line that tells a person how far long work is. It may be used from several goroutines.
type counter struct {
	w io.Writer // nil where nobody watches

	mu    sync.Mutex
	shown time.Time
}

// progress counts on standard error where a person watches, and says nothing in scripts.
func progress(cmd *cobra.Command) *counter {
	if !terminal() {
		return &counter{}
	}
	return &counter{w: cmd.ErrOrStderr()}
}

// read tells how many samples or scores were read.
func (c *counter) read(n int) {
	if n%100 == 0 { // of millions; the clock need not be asked for each
		c.show("%d read", n)
	}
}

// of returns what tells how many of some things are done.
func (c *counter) of(what string) func(done, total int) {
	return func(done, total int) { c.show("%d of %d %s", done, total, what) }
}

func (c *counter) show(format string, args ...any) {
	if c.w == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.shown) >= progressEvery {
		c.shown = now
		fmt.Fprintf(c.w, clearLine+format, args...)
	}
}

// end takes the line away.
func (c *counter) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.w != nil && !c.shown.IsZero() {
		fmt.Fprint(c.w, clearLine)
	}
}

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
			fmt.Fprintf(cmd.ErrOrStderr(), clearLine+"%s", progressText(p, now.Sub(began)))
			if p.Fraction == 1 {
				fmt.Fprint(cmd.ErrOrStderr(), clearLine)
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
