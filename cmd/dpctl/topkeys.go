package main

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"daemonproxy/controller/client"

	"github.com/gdamore/tcell/v2"
)

// keys is what the keys pressed so far have led to.
type keys struct {
	filtering bool   // a filter is being typed
	filter    string // a part of names
	asked     string // what y would do, empty if nothing is asked
	target    string // to whom
	message   string // what the last action came to
}

func (k *keys) help() string {
	switch {
	case k.filtering:
		return "filter: " + k.filter + "_   Enter: keep  Escape: show all"
	case k.asked != "":
		return k.asked + " " + k.target + "?   y: yes  any other key: no"
	}
	return "s: start  x: stop  r: restart  /: filter  q: quit"
}

// key takes a key; what it gives back is for the list, which moves.
func (t *top) key(event *tcell.EventKey) *tcell.EventKey {
	k := &t.keys
	if event.Key() == tcell.KeyCtrlC {
		return event
	}
	defer t.refresh()
	switch {
	case k.filtering:
		k.editFilter(event)
		return nil
	case k.asked != "":
		if event.Rune() == 'y' {
			t.begin(k.asked, k.target)
		}
		k.asked = ""
		return nil
	}
	switch name := t.chosen(); event.Rune() {
	case 'q':
		t.app.Stop()
	case '/':
		k.filtering, k.filter = true, ""
	case 's':
		if name != "" {
			t.begin("start", name)
		}
	case 'x':
		if name != "" {
			k.asked, k.target = "stop", name
		}
	case 'r':
		if name != "" {
			k.asked, k.target = "restart", name
		}
	default:
		return event
	}
	return nil
}

func (k *keys) editFilter(event *tcell.EventKey) {
	switch event.Key() {
	case tcell.KeyEnter:
		k.filtering = false
	case tcell.KeyEscape:
		k.filtering, k.filter = false, ""
	case tcell.KeyBackspace, tcell.KeyBackspace2:
		_, last := utf8.DecodeLastRuneInString(k.filter)
		k.filter = k.filter[:len(k.filter)-last]
	case tcell.KeyRune:
		if unicode.IsPrint(event.Rune()) {
			k.filter += string(event.Rune())
		}
	}
}

// begin does something to a service, and says what it came to when that is known.
func (t *top) begin(what, name string) {
	actions := map[string]action{
		"stop":    t.stop,
		"restart": t.restart,
		"start": func(ctx context.Context, c *client.Client, name string) (string, error) {
			ctx, cancel := t.limitedIn(ctx)
			defer cancel()
			return start(ctx, c, name)
		},
	}
	t.keys.message = what + " " + name + " ..."
	go func() {
		said, err := actions[what](t.ctx, t.c, name)
		if err != nil {
			said = "error: " + classify(named(name, err)).text
		}
		t.app.QueueUpdateDraw(func() {
			t.keys.message = printable(strings.ReplaceAll(said, "\n", " "))
			t.refresh()
		})
	}()
}
