package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress is a line on a terminal that says who is waited for, and for how long.
type progress struct {
	w       io.Writer
	on      bool
	shown   bool
	started time.Time
	tick    *time.Ticker
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, on: isTerminal(w), started: time.Now(), tick: time.NewTicker(time.Second)}
}

func (g *progress) stop() { g.tick.Stop() }

// await returns the next outcome, with the line gone.
func (g *progress) await(names []string, next <-chan outcome) outcome {
	for {
		select {
		case o := <-next:
			if g.shown {
				fmt.Fprint(g.w, "\r\x1b[K")
				g.shown = false
			}
			return o
		case <-g.tick.C:
			if g.on {
				line := fmt.Sprintf("waiting for %s, %s ...", brief(names), age(time.Since(g.started)))
				fmt.Fprintf(g.w, "\r\x1b[K%s", cut(printable(line), columns(g.w)-1))
				g.shown = true
			}
		}
	}
}

// cut shortens a line that would else go on in the next one, where nothing removes it.
func cut(line string, width int) string {
	if runes := []rune(line); width > 0 && len(runes) > width {
		return string(runes[:width])
	}
	return line
}

// brief names a few.
func brief(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}
