package main

import (
	"fmt"
	"strings"
)

// text draws for a terminal: each service with what it is connected to, and who is at the other side.
func (p *picture) text() string {
	var b strings.Builder
	alone := make([]bool, len(p.things))
	for i := range alone {
		alone[i] = true
	}
	for i, s := range p.services {
		fmt.Fprintf(&b, "%s (%s)\n", s.Name, s.State)
		width := 0
		for _, e := range p.edges {
			if e.service == i {
				width = max(width, len(e.label()))
			}
		}
		for _, e := range p.edges {
			if e.service != i {
				continue
			}
			alone[e.thing] = false
			fmt.Fprintf(&b, "  %-*s %s %s%s\n", width, e.label(), e.arrow(), p.things[e.thing].line(), p.others(e))
		}
	}
	for i, t := range p.things {
		if alone[i] {
			fmt.Fprintf(&b, "no service: %s\n", t.line())
		}
	}
	return b.String()
}

// arrow points away from the service if that writes.
func (e *edge) arrow() string {
	switch {
	case e.reads && e.writes:
		return "<->"
	case e.reads:
		return "<--"
	case e.writes:
		return "-->"
	}
	return "---"
}

// line describes a thing in one line.
func (t thing) line() string {
	text := t.title
	if t.kind != daemonThing && t.kind != missingHandle {
		text = t.kind + " " + text
	}
	if t.about != "" {
		text += " (" + t.about + ")"
	}
	return printable(text)
}

// others are the services at the other side of what an edge leads to: who gets what this one writes, or writes what
// it reads. A file is no way from one to the other.
func (p *picture) others(from edge) string {
	if kind := p.things[from.thing].kind; kind != "pipe" {
		return ""
	}
	var others []string
	for _, e := range p.edges {
		if e.thing == from.thing && e.service != from.service && (e.reads && from.writes || e.writes && from.reads) {
			others = append(others, p.services[e.service].Name+" "+e.label())
		}
	}
	if len(others) == 0 {
		return ""
	}
	return " " + from.arrow() + " " + strings.Join(others, ", ")
}
