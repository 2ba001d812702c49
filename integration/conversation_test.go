package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A conversation is a test written as a text file: what is sent to a daemon, and what must come back.
// testdata/README.md describes the format.
type conversation struct {
	setup setup
	out   bool // pass a pipe as descriptor 3
	steps []step
}

// step is one line of a conversation after the preamble.
type step struct {
	at   string // file:line
	who  string // a controller, "log" or "out"; "" for the other verbs
	verb string // > < ~ ? . or a word
	arg  string
}

var stepSyntax = regexp.MustCompile(`^([a-z]+)([><~?.])(?: (.*))?$`)

func readConversation(path string) (c conversation, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	c.setup.files = map[string]string{}
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		at := fmt.Sprintf("%s:%d", filepath.Base(path), n+1)
		word, arg, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case word == "daemon":
			c.setup.args = strings.Fields(arg)
		case word == "file":
			name, content, _ := strings.Cut(arg, " ")
			c.setup.files[name] += content + "\n"
		case line == "out":
			c.out = true
		default:
			s := step{at: at, verb: word, arg: arg}
			if m := stepSyntax.FindStringSubmatch(line); m != nil {
				s = step{at, m[1], m[2], m[3]}
			} else if verb, ok := wordVerb(arg); ok {
				s = step{at: at, who: word, verb: verb}
			}
			c.steps = append(c.steps, s)
		}
	}
	if c.setup.args == nil {
		c.setup.args = []string{"-i"}
	}
	return c, nil
}

// wordVerb knows the verbs that follow a controller's name.
func wordVerb(arg string) (string, bool) {
	switch arg {
	case "open", "shut", "close", "eof":
		return arg, true
	}
	return "", false
}

// play holds the conversation with a daemon of its own.
func (c conversation) play(t *testing.T) {
	var out *lines
	if c.out {
		r, w := pipe(t)
		c.setup.fds = map[int]*os.File{3: w}
		out = &lines{src: r}
	}
	d := c.setup.start(t)
	talk := &talk{daemon: d, controllers: map[string]*controller{}}
	if d.i != nil {
		talk.controllers["i"] = d.i
	}
	if out != nil {
		c.setup.fds[3].Close()
		talk.out = d.stream("out", out.src)
	}
	for n := 0; n < len(c.steps); n++ {
		s := c.steps[n]
		talk.at = s.at
		if s.verb != "?" {
			talk.play(t, s)
			continue
		}
		var set []string
		for ; n < len(c.steps) && c.steps[n].verb == "?" && c.steps[n].who == s.who; n++ {
			set = append(set, c.steps[n].arg)
		}
		n--
		talk.expectSet(t, talk.stream(t, s.who), set)
	}
}

// talk is a conversation under way.
type talk struct {
	*daemon
	controllers map[string]*controller
	out         *lines
	at          string
}

func (k *talk) play(t *testing.T, s step) {
	defer func() {
		if t.Failed() {
			t.Logf("at %s", s.at)
		}
	}()
	switch s.verb {
	case ">":
		k.controller(t, s.who).send(s.arg)
	case "<":
		k.stream(t, s.who).expect(s.arg)
	case "~":
		k.stream(t, s.who).await(s.arg)
	case ".":
		if s.who == "log" {
			k.logSync()
		} else {
			k.controller(t, s.who).sync()
		}
	case "open":
		k.controllers[s.who] = k.dial(s.who)
	case "shut":
		k.controller(t, s.who).shut()
	case "close":
		k.controller(t, s.who).close()
	case "eof":
		k.stream(t, s.who).expectEOF()
	case "let":
		name, value, _ := strings.Cut(s.arg, " ")
		k.set(name, k.text("{"+value+"}"))
	case "signal":
		k.signal(s.arg)
	case "kill":
		k.kill(k.num(s.arg))
	case "exit":
		code, err := strconv.Atoi(s.arg)
		if err != nil {
			t.Fatalf("%s: %v", s.at, err)
		}
		k.expectExit(code)
	default:
		t.Fatalf("%s: what does %q mean?", s.at, s.verb+" "+s.arg)
	}
}

func (k *talk) controller(t *testing.T, name string) *controller {
	c := k.controllers[name]
	if c == nil {
		t.Fatalf("%s: controller %q is not open", k.at, name)
	}
	return c
}

func (k *talk) stream(t *testing.T, name string) *lines {
	switch {
	case name == "log":
		return k.log
	case name == "out" && k.out != nil:
		return k.out
	}
	return k.controller(t, name).lines
}

// logSync requires that every log line so far has been expected: the next ones are about a marker, a command that
// nobody knows.
func (d *daemon) logSync() {
	d.t.Helper()
	marker := fmt.Sprintf("log.marker.%d", len(d.log.seen))
	d.i.send(marker)
	d.log.expect("error: controller[0] sent unknown command " + marker)
	d.i.await("error⇥Unknown command: " + marker)
}

// expectSet requires the next lines in any order.
func (k *talk) expectSet(t *testing.T, l *lines, patterns []string) {
	t.Helper()
	missing := patterns
next:
	for len(missing) > 0 {
		line, err := l.next(l.deadline())
		if err != nil {
			t.Fatalf("%s: %s: waiting for %q: %v", k.at, l.name, missing, err)
		}
		for i, pattern := range missing {
			if k.match(pattern, line) {
				missing = append(append([]string(nil), missing[:i]...), missing[i+1:]...)
				continue next
			}
		}
		t.Fatalf("%s: %s: got  %q\nwant one of %q", k.at, l.name, line, missing)
	}
}
