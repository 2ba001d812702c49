package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"daemonproxy/controller/client"
)

// follow shows the services again whenever one of them changed and, on a terminal, as time goes by. Elsewhere it prints
// one table, or one line of JSON, after the other. What changes faster than it can be shown is shown together, and
// overflows need no word: the mirror is repaired.
func (s *status) follow(c *client.Client) error {
	screen := isTerminal(s.out) && !s.json
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	changed := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() { ended <- watchChanges(ctx, c, changed) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for first := true; ; {
		select {
		case <-changed:
		case <-tick.C:
			if first || !screen {
				continue
			}
		case err := <-ended:
			return err
		}
		if err := s.showAgain(c, screen, first); err != nil {
			return err
		}
		first = false
	}
}

// watchChanges says when the services are known, and when one of them has changed.
func watchChanges(ctx context.Context, c *client.Client, changed chan<- struct{}) error {
	telling := true // what there is: it changes nothing
	for event, err := range c.Events(ctx) {
		if err != nil {
			return err
		}
		switch event.(type) {
		case client.Synced:
			telling = false
		case client.Lost:
			telling = true
		case client.ServiceState, client.ServiceTags, client.ServiceAutoUp, client.ServiceArgs, client.ServiceFDs:
		default:
			continue
		}
		if telling {
			continue
		}
		select {
		case changed <- struct{}{}:
		default: // it is to be shown again already
		}
	}
	return nil
}

// fitting leaves out lines for which the screen has no room. (What is too wide the terminal cuts, if told not to wrap.)
func fitting(shown string, height int) string {
	all := strings.SplitAfter(shown, "\n") // the last is empty
	if height < 2 || len(all) <= height {
		return shown
	}
	return fmt.Sprintf("%s... %d more", strings.Join(all[:height-1], ""), len(all)-height)
}

// showAgain is show for those who go on: a service that is not up, or not there yet, is no error to them.
func (s *status) showAgain(c *client.Client, screen, first bool) error {
	state := c.State()
	services, _, err := s.find(&state)
	if err != nil {
		services = nil
	}
	switch {
	case screen:
		path, _ := s.socketPath()
		shown := fmt.Sprintf("%s  %s\n\n%s", printable(path), time.Now().Format(time.TimeOnly), s.table(services))
		_, err = fmt.Fprintf(s.out, "\x1b[?7l\x1b[H\x1b[2J%s\x1b[?7h", fitting(shown, lines(s.out)))
		return err
	case !first && !s.json:
		if _, err = fmt.Fprintln(s.out); err != nil {
			return err
		}
	}
	return s.print(services)
}
