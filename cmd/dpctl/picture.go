package main

import (
	"slices"
	"strconv"
	"strings"

	"daemonproxy/controller/client"
)

// picture is what graph draws: services, what they are connected to, and how.
type picture struct {
	services []client.Service
	things   []thing
	edges    []edge
}

// thing is a file, a socket, both ends of a pipe or of a socketpair, daemonproxy, or a handle that is missing.
type thing struct {
	kind  string // the type of the handle, daemonThing or missingHandle
	title string
	about string // a second line, perhaps empty
}

const daemonThing = "daemonproxy"

// edge connects a service with a thing.
type edge struct {
	service, thing int
	numbers        []int
	reads, writes  bool
}

func newPicture(state *client.State) *picture {
	p := &picture{}
	things, services := map[string]int{}, map[string]int{}
	for i, name := range serviceNames(state) {
		p.services = append(p.services, state.Services[name])
		services[name] = i
	}
	for _, d := range descriptors(state) {
		if d.handle.Name == "null" || d.handle.Type == closedNumber || d.service == nil && isBuiltin(d.handle) {
			continue
		}
		t := newThing(state, d.handle)
		key := t.kind + "\n" + t.title
		if _, known := things[key]; !known {
			things[key] = len(p.things)
			p.things = append(p.things, t)
		}
		if d.service != nil {
			p.connect(services[d.service.Name], things[key], d)
		}
	}
	return p
}

// isBuiltin reports whether daemonproxy has a handle by itself.
func isBuiltin(h client.HandleState) bool {
	switch h.Name {
	case "stdin", "stdout", "stderr":
		return h.Description == "unknown"
	}
	return h.Type == "special"
}

// newThing is what a handle is drawn as.
func newThing(state *client.State, h client.HandleState) thing {
	switch {
	case strings.HasPrefix(h.Name, "control.") && h.Type == "special":
		return thing{kind: daemonThing, title: daemonThing}
	case isPair(h):
		return thing{kind: h.Type, title: pairTitle(state, h)}
	case h.Type == "pipe" && writes(h):
		return thing{kind: h.Type, title: h.Name + " -> " + h.Description}
	case h.Type == "pipe":
		return thing{kind: h.Type, title: h.Description + " -> " + h.Name}
	case h.Type == "socket":
		return thing{kind: h.Type, title: h.Name, about: strings.TrimSpace(strings.Join(h.Flags, ",") + " " + h.Description)}
	case h.Type == missingHandle:
		return thing{kind: h.Type, title: h.Name, about: "missing"}
	}
	return thing{kind: h.Type, title: h.Name, about: h.Description}
}

// pairTitle names both ends in the order of their names, so that both have the same title.
func pairTitle(state *client.State, h client.HandleState) string {
	peer := h.Description
	if _, there := state.Handles[peer]; there && peer < h.Name {
		return peer + " <-> " + h.Name
	}
	return h.Name + " <-> " + peer
}

// connect adds a number to the edge that goes the same way, or makes one.
func (p *picture) connect(service, thing int, d descriptor) {
	r, w := reads(d.handle), writes(d.handle)
	i := slices.IndexFunc(p.edges, func(e edge) bool {
		return e.service == service && e.thing == thing && e.reads == r && e.writes == w
	})
	if i < 0 {
		i = len(p.edges)
		p.edges = append(p.edges, edge{service: service, thing: thing, reads: r, writes: w})
	}
	p.edges[i].numbers = append(p.edges[i].numbers, d.number)
}

// label is the numbers of an edge.
func (e *edge) label() string {
	texts := make([]string, len(e.numbers))
	for i, n := range e.numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ",")
}
