package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"daemonproxy/controller/client"
)

// action does something to one service and says what happened.
type action func(ctx context.Context, c *client.Client, name string) (string, error)

// outcome is what an action came to.
type outcome struct {
	said string
	err  error
}

// act does the same to all chosen services, at once, and tells the outcomes in their order. One that fails does not
// keep the others from going on; the exit status is that of the first that failed.
func (p *program) act(ch *choice, limit time.Duration, do action) error {
	if err := ch.require(); err != nil {
		return err
	}
	c, err := p.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	state := c.State()
	names, err := ch.existing(&state)
	if err != nil {
		return err
	}
	ctx, cancel := within(context.Background(), limit)
	defer cancel()
	outcomes := make([]chan outcome, len(names))
	for i, name := range names {
		outcomes[i] = make(chan outcome, 1)
		go func() {
			said, err := do(ctx, c, name)
			outcomes[i] <- outcome{said, named(name, err)}
		}()
	}
	return p.tell(names, outcomes)
}

// named makes an error that does not say which service it is about do so.
func named(name string, err error) error {
	if err == nil || refusal(err) != "" {
		return err
	}
	f := *classify(err)
	if !strings.HasPrefix(f.text, name+": ") {
		f.text = name + ": " + f.text
	}
	return &f
}

// tell prints the outcomes as they come, and meanwhile, on a terminal, who is waited for.
func (p *program) tell(names []string, outcomes []chan outcome) error {
	progress := newProgress(p.err)
	defer progress.stop()
	status := exitDone
	for i := range outcomes {
		o := progress.await(names[i:], outcomes[i])
		if o.err != nil {
			if failed := p.report(o.err); status == exitDone {
				status = failed
			}
			continue
		}
		if _, err := fmt.Fprintln(p.out, o.said); err != nil {
			return err
		}
	}
	if status != exitDone {
		return &failure{status: status}
	}
	return nil
}
