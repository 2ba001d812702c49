package model

import (
	"strings"
	"testing"
)

// told is a round in which one connection sends a command, and this and a second one hear something.
type told struct {
	command    string
	lines      []string
	other      []string
	impossible bool
}

const (
	argsLine  = "service.args\ts\t/bin/true"
	startLine = "service.state\ts\tstart\t100\t-\t-\t-\t-\t-"
	upLine    = "service.state\ts\tup\t100\t7\t-\t-\t0\t-"
	downLine  = "service.state\ts\tdown\t100\t7\texit\t0\t0\t0"
)

// TestWhatCannotBe: a model that accepts anything is worth nothing. Each sequence ends in what the protocol forbids, or
// allows.
func TestWhatCannotBe(t *testing.T) {
	set := told{command: argsLine, lines: []string{argsLine}, other: []string{argsLine}}
	begin := told{command: "service.start\ts", lines: []string{startLine}, other: []string{startLine}}
	both := func(lines ...string) told { return told{lines: lines, other: lines} }
	bad := func(one told) told { one.impossible = true; return one }
	pipe := []string{"fd.state\tr\tpipe\tfrom\tw", "fd.state\tw\tpipe\tto\tr"}
	for name, rounds := range map[string][]told{
		"a life":                {set, begin, both(upLine, downLine)},
		"the other hears later": {set, begin, {command: "", lines: []string{upLine}}, {command: "", lines: []string{downLine}, other: []string{upLine, downLine}}},
		"an answer meanwhile": {set, begin, {command: "service.signal\ts\tTERM",
			lines: []string{"error\tservice is not running, for command \"service.signal\ts\tTERM\"", upLine}, other: []string{upLine}}},
		"deleted while it is begun": {set, begin, {command: "service.delete\ts",
			lines: []string{"error\tservice is running, for command \"service.delete\ts\""}}},
		"deleted while it waits": {set, begin, {command: "service.delete\ts", lines: []string{"service.state\ts\tdeleted\t-\t-\t-\t-\t-\t-"},
			other: []string{"service.state\ts\tdeleted\t-\t-\t-\t-\t-\t-"}}},
		"a pipe": {{command: "fd.pipe\tr\tw", lines: pipe, other: pipe}},

		"nothing is told":            {bad(told{command: argsLine})},
		"the other is not told":      {bad(told{command: argsLine, lines: []string{argsLine}})},
		"the other is told more":     {bad(told{command: "", other: []string{argsLine}})},
		"down before up":             {set, begin, bad(both(downLine, upLine))},
		"up by itself":               {set, bad(both(upLine))},
		"up before its time":         {set, begin, bad(both(strings.Replace(upLine, "100", "99", 1)))},
		"an end that is not its own": {set, begin, bad(both(upLine, strings.Replace(downLine, "exit\t0", "exit\t1", 1)))},
		"another pid":                {set, begin, bad(both(upLine, strings.Replace(downLine, "\t7\t", "\t8\t", 1)))},
		"a restart without trigger":  {set, begin, bad(both(upLine, downLine, startLine))},
		"an answer too late": {set, begin, bad(told{command: "service.signal\ts\tTERM",
			lines: []string{upLine, "error\tno args configured for service, for command \"service.signal\ts\tTERM\""}})},
		"the order of the other":                {set, begin, bad(told{command: "", lines: []string{upLine, downLine}, other: []string{downLine, upLine}})},
		"the ends of a pipe in the wrong order": {bad(told{command: "fd.pipe\tr\tw", lines: []string{pipe[1], pipe[0]}, other: pipe})},
		"the other hears them so":               {bad(told{command: "fd.pipe\tr\tw", lines: pipe, other: []string{pipe[1], pipe[0]}})},
		"an orphan that is not told":            {{command: "fd.pipe\tr\tw", lines: pipe, other: pipe}, bad(told{command: "fd.delete\tr", lines: []string{"fd.state\tr\tdeleted"}})},
		"an error's text":                       {bad(told{command: "fd.delete\tx", lines: []string{"error\tNo such service, for command \"fd.delete\tx\""}})},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(Options{Filter: "debug", Programs: map[string]string{"/bin/true": "exit\t0"}})
			a, b := m.Join("a"), m.Join("b")
			a.joining, b.joining = false, false
			for _, r := range rounds {
				err := m.Round(Clock{100, 100}, []Part{
					{Conn: a, Segments: []Segment{{Command: r.command, Lines: r.lines}, {}}, Owns: func(string, string) bool { return true }},
					{Conn: b, Segments: []Segment{{Lines: r.other}}},
				})
				if (err != nil) != r.impossible {
					t.Fatalf("%q: %v", r.command, err)
				}
			}
		})
	}
}
