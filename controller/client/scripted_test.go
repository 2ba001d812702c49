package client_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"daemonproxy/controller/client"
)

// scripted is a client of a peer that answers echos as daemonproxy does, and everything else as the script says: for what
// the real one does only at moments that can't be arranged.
func scripted(t *testing.T, script map[string]string) *client.Client {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		answers := make(chan string, 100)
		defer close(answers)
		go func() {
			for answer := range answers {
				fmt.Fprint(theirs, answer)
			}
		}()
		for in := bufio.NewScanner(theirs); in.Scan(); {
			if echo, ok := strings.CutPrefix(in.Text(), "echo\t"); ok {
				answers <- echo + "\n"
			} else {
				answers <- script[in.Text()]
			}
		}
	}()
	c, err := client.New(within(t), ours, ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// An overflow between a command's marks may have taken its refusal: that is no success.
func TestOverflowTakesTheAnswer(t *testing.T) {
	c := scripted(t, map[string]string{
		"statedump":        "service.state\tx\tdown\t-\t-\t-\t-\t-\t-\n",
		"service.start\tx": "overflow\n",
	})
	if _, err := c.Do(within(t), "service.start", "x"); !errors.Is(err, client.ErrLost) {
		t.Errorf("got %v", err)
	}
	if err := c.Wait(within(t), func(s *client.State) bool { return s.Services["x"].State == client.Down }); err != nil {
		t.Error(err)
	}
}

// Lines that no version has sent so far are passed on, and disturb nothing.
func TestUnknownLines(t *testing.T) {
	c := scripted(t, map[string]string{
		"statedump": "service.state\tx\tdown\t-\t-\t-\t-\t-\t-\n",
		"next": "service.mood\tx\tgood\nservice.state\tx\tup\n\n\tx\nfd.state\nservice.state\tx\tup\tyes\t1\t-\t-\t0\t-\n" +
			"service.auto_up\tx\nsignal\tSIGTERM\tx\ty\n",
	})
	answer, err := c.Do(within(t), "next")
	if err != nil || len(answer.Lines) != 8 {
		t.Errorf("%v, %q", err, answer.Lines)
	}
	if x, _ := c.Service("x"); x.State != client.Down {
		t.Errorf("x is %+v", x)
	}
}

// Being told a state of more events than may wait is no reason to be told it again with the next event.
func TestLargeStateIsToldOnce(t *testing.T) {
	var handles strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&handles, "fd.state\th%d\tfile\tread\t/dev/null\n", i)
	}
	c := scripted(t, map[string]string{
		"statedump": handles.String(),
		"flood":     strings.Repeat("service.tags\tx\tearly\n", 5000),
		"last":      "service.tags\tx\tlate\n",
	})
	flooded, lost, told := false, 0, false
	for event, err := range c.Events(within(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if !flooded { // meanwhile nothing is taken
			flooded = true
			for _, command := range []string{"flood", "last"} {
				if _, err := c.Do(within(t), command); err != nil {
					t.Fatal(err)
				}
			}
		}
		switch e := event.(type) {
		case client.Lost:
			lost++
			told = false
		case client.Synced:
			told = true
		case client.ServiceTags:
			if e.Tags[0] != "late" {
				continue
			}
			if lost != 1 || !told {
				t.Errorf("the last event: %d times lost, after the state: %v", lost, told)
			}
			return
		}
	}
}
