package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"daemonproxy/controller/client"

	"golang.org/x/term"
)

// The colours of a terminal.
const (
	plain  = ""
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// isTerminal reports whether a stream is one.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// columns is the width of a terminal, 0 if that is not known.
func columns(w io.Writer) int {
	width, _ := size(w)
	return width
}

// lines is its height.
func lines(w io.Writer) int {
	_, height := size(w)
	return height
}

func size(w io.Writer) (width, height int) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// colored reports whether a stream gets colours: a terminal, unless its user has asked for none (no-color.org).
func colored(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

func paint(text, color string) string {
	if color == plain || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// stateColor is green for what runs, yellow for what will, and red for what ended badly.
func stateColor(s client.Service) string {
	switch {
	case s.State == client.Up:
		return green
	case s.State == client.Start:
		return yellow
	case s.Exit.Reason == "signal" || s.Exit.Status != 0:
		return red
	}
	return plain
}

// printable is text that can't steer a terminal: values of services may have any bytes.
func printable(text string) string {
	unsafe := func(r rune) bool { return !unicode.IsPrint(r) }
	if utf8.ValidString(text) && strings.IndexFunc(text, unsafe) < 0 { // else it may have single bytes that steer, such as \x9b
		return text
	}
	quoted := strconv.Quote(text)
	return strings.ReplaceAll(strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`), `\\`, `\`)
}
