package main

import (
	"context"
	"fmt"

	"daemonproxy/controller/client"

	"github.com/spf13/cobra"
)

func newEventsCommand(p *program) *cobra.Command {
	e := events{program: p}
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Print what there is in the words of events, and with --follow what happens",
		Long: `events prints the present state, as the lines of a statedump, and with --follow every event after that. In JSON each
event is one line.

If daemonproxy had to drop events, because dpctl did not read them in time, that is said on stderr (in JSON: the event
"lost"), and the state is printed anew.`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return e.run() },
	}
	cmd.Flags().BoolVarP(&e.follow, "follow", "f", false, "go on with what happens")
	cmd.Flags().BoolVar(&e.json, "json", false, "print a JSON object for each event")
	return cmd
}

type events struct {
	*program
	follow, json bool
}

func (e *events) run() error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	for event, err := range c.Events(context.Background()) {
		if err != nil {
			return err
		}
		if err := e.print(event); err != nil {
			return err
		}
		if event == (client.Synced{}) && !e.follow {
			break
		}
	}
	return nil
}

func (e *events) print(event client.Event) error {
	if e.json {
		return printJSON(e.out, viewEvent(event))
	}
	switch event := event.(type) {
	case client.Synced:
		return nil
	case client.Lost:
		_, err := fmt.Fprintln(e.err, "dpctl: events are missing, and the state follows anew: "+printable(event.Err.Error()))
		return err
	}
	return e.printLine(event.String())
}
