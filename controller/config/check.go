// Package config finds the mistakes of a config file without running anything: those that the daemon's own parser
// finds in a line, and those that show once the lines are seen together, such as a service that is started before it
// has a program. It touches no file, no socket and no process, so what fails only when it is done (a path that does
// not exist, a port that is taken) is not found.
package config

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"

	"daemonproxy/controller/protocol"
)

// Problem is one mistake.
type Problem struct {
	Line int // from 1
	Text string
}

// Check reads a whole config and returns its mistakes in the order of the lines. The error is the reader's.
func Check(r io.Reader) ([]Problem, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	c := checker{world: newWorld()}
	for len(text) > 0 && !c.ended {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		c.line++
		c.check(line)
		if !whole && !c.ended {
			c.report("the last line has no LF at its end; daemonproxy warns of that")
		}
		text = rest
	}
	c.conclude()
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return a.Line - b.Line })
	return c.problems, nil
}

// checker goes through the lines.
type checker struct {
	line     int
	ended    bool // by exit: what follows is never read
	problems []Problem
	*world
}

func (c *checker) report(texts ...string) { c.reportAt(c.line, texts...) }

func (c *checker) reportAt(line int, texts ...string) {
	c.problems = append(c.problems, Problem{line, strings.Join(texts, "")})
}

func (c *checker) check(line []byte) {
	comment := len(line) > 0 && line[0] == '#'
	if len(line) >= protocol.MaxLine {
		if !comment {
			c.report("line too long: it has ", bytesText(len(line)), ", and may have ", strconv.Itoa(protocol.MaxLine-1))
		}
		return
	}
	switch protocol.Classify(line) {
	case protocol.None:
		return
	case protocol.HasNUL:
		c.report("line contains NUL")
		return
	}
	if line[len(line)-1] == '\r' {
		c.report("the line ends in CR, which is part of its last field; lines end in LF alone")
		line = line[:len(line)-1] // what else is wrong with it
	}
	var command protocol.Command
	protocol.Parse(line, &command)
	if command.Err.Code != protocol.OK {
		c.report(explain(line, &command))
		return
	}
	c.follow(&command, line)
}
