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
				fmt.Fprintf(g.w, "\r\x1b[Kwaiting for %s, %s ...", brief(names), age(time.Since(g.started)))
				g.shown = true
			}
		}
	}
}

// brief names a few.
func brief(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}
