package main

import (
	"fmt"
	"strings"

	"daemonproxy/controller/client"
)

// The shapes and colours of the drawn formats.
var (
	dotShapes = map[string]string{
		"pipe": "cds", "socket": "hexagon", "file": "note", "special": "note", daemonThing: "doubleoctagon", missingHandle: "plain",
	}
	mermaidShapes = map[string][2]string{
		"pipe": {"([", "])"}, "socket": {"{{", "}}"}, "file": {"[/", "/]"}, "special": {"[/", "/]"},
		daemonThing: {"[[", "]]"}, missingHandle: {"(", ")"},
	}
	stateFills = map[string]string{client.Up: "#c8e6c9", client.Start: "#fff9c4", client.Down: "#eeeeee"}
)

const missingColor = "#c62828"

// dot draws for graphviz.
func (p *picture) dot() string {
	var b strings.Builder
	b.WriteString("digraph daemonproxy {\n\trankdir=LR\n\tnode [fontname=\"sans-serif\"]\n\tedge [fontname=\"sans-serif\"]\n")
	for i, s := range p.services {
		fmt.Fprintf(&b, "\ts%d [label=%s shape=box style=\"rounded,filled\" fillcolor=%q]\n", i, dotText(s.Name, s.State), stateFills[s.State])
	}
	for i, t := range p.things {
		color := ""
		if t.kind == missingHandle {
			color = fmt.Sprintf(" fontcolor=%q", missingColor)
		}
		fmt.Fprintf(&b, "\th%d [label=%s shape=%s%s]\n", i, dotText(t.title, t.about), dotShapes[t.kind], color)
	}
	for _, e := range p.edges {
		switch {
		case e.reads && e.writes:
			fmt.Fprintf(&b, "\ts%d -> h%d [label=%q dir=both]\n", e.service, e.thing, e.label())
		case e.reads:
			fmt.Fprintf(&b, "\th%d -> s%d [label=%q]\n", e.thing, e.service, e.label())
		case e.writes:
			fmt.Fprintf(&b, "\ts%d -> h%d [label=%q]\n", e.service, e.thing, e.label())
		default:
			fmt.Fprintf(&b, "\ts%d -> h%d [label=%q dir=none]\n", e.service, e.thing, e.label())
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// dotText quotes lines. A backslash would begin an escape of graphviz.
func dotText(lines ...string) string {
	var texts []string
	for _, line := range lines {
		if line != "" {
			texts = append(texts, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(printable(line)))
		}
	}
	return `"` + strings.Join(texts, `\n`) + `"`
}

// mermaid draws for documents.
func (p *picture) mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i, s := range p.services {
		fmt.Fprintf(&b, "    s%d(%s)\n", i, mermaidText(s.Name, s.State))
		fmt.Fprintf(&b, "    style s%d fill:%s\n", i, stateFills[s.State])
	}
	for i, t := range p.things {
		shape := mermaidShapes[t.kind]
		fmt.Fprintf(&b, "    h%d%s%s%s\n", i, shape[0], mermaidText(t.title, t.about), shape[1])
		if t.kind == missingHandle {
			fmt.Fprintf(&b, "    style h%d color:%s\n", i, missingColor)
		}
	}
	for _, e := range p.edges {
		switch {
		case e.reads && e.writes:
			fmt.Fprintf(&b, "    s%d <-->|%s| h%d\n", e.service, e.label(), e.thing)
		case e.reads:
			fmt.Fprintf(&b, "    h%d -->|%s| s%d\n", e.thing, e.label(), e.service)
		case e.writes:
			fmt.Fprintf(&b, "    s%d -->|%s| h%d\n", e.service, e.label(), e.thing)
		default:
			fmt.Fprintf(&b, "    s%d ---|%s| h%d\n", e.service, e.label(), e.thing)
		}
	}
	return b.String()
}

// mermaidText quotes lines; what mermaid or HTML would take for its own is written by number.
func mermaidText(lines ...string) string {
	var texts []string
	for _, line := range lines {
		if line != "" {
			texts = append(texts, strings.NewReplacer(`#`, "#35;", `"`, "#34;", `<`, "#60;", `>`, "#62;", `&`, "#38;").Replace(printable(line)))
		}
	}
	return `"` + strings.Join(texts, "<br>") + `"`
}
