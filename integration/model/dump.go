package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// dumping is how far a statedump has got.
type dumping struct {
	objects []object // still to be shown, in order; for a dump among others' changes, unknown
	line    int      // of the first of them
}

// sweeps checks a statedump: all there is, in order, and between its lines what happens meanwhile.
func (c *Conn) sweeps(lines []string, p Part) error {
	d := dumping{objects: c.model.objects(p)}
	var signals []string
	for _, line := range lines {
		o := objectOf(line)
		switch {
		case o == "":
			signals = append(signals, line)
		case !p.owns(o):
		case len(d.objects) > 0 && d.objects[0] == o && c.dumped(o, d.line, line):
			d.line++
			if d.line == width(o) {
				d.objects, d.line = d.objects[1:], 0
			}
		default:
			if err := c.hears(line); err != nil {
				return err
			}
		}
	}
	if len(d.objects) > 0 {
		return fmt.Errorf("the dump does not show %s from line %d on", d.objects[0], d.line)
	}
	var want []string
	for _, a := range c.model.ledger {
		if a.count > 0 {
			want = append(want, a.line())
		}
	}
	// What the connection was still to be told was taken out above, if there was any.
	if len(signals) > len(want) {
		signals = signals[len(signals)-len(want):]
	}
	if !slices.Equal(signals, want) {
		return fmt.Errorf("the dump shows the signals %q, want %q", signals, want)
	}
	return nil
}

// objects lists what is there of the part's own, in the order of a dump.
func (m *Model) objects(p Part) (list []object) {
	for _, name := range slices.Sorted(maps.Keys(m.handles)) {
		list = append(list, object("fd "+name))
	}
	for _, name := range slices.Sorted(maps.Keys(m.services)) {
		list = append(list, object("service "+name))
	}
	return slices.DeleteFunc(list, func(o object) bool { return !p.owns(o) })
}

func width(o object) int {
	if strings.HasPrefix(string(o), "fd ") {
		return 1
	}
	return len(serviceLines)
}

// takes tells whether a line about what others may change is one of a dump. It prefers events: where both fit, they
// are the same.
func (d *dumping) takes(c *Conn, o object, line string) bool {
	journal := c.model.journals[o]
	if at := c.at[o]; at < len(journal) && journal[at].line == line {
		return false
	}
	event, _, _ := strings.Cut(line, "\t")
	return c.dumped(o, max(slices.Index(serviceLines, event), 0), line)
}
