package main

import (
	"context"
	"fmt"

	"daemonproxy/controller/client"

	"github.com/spf13/cobra"
)

func newStartCommand(p *program) *cobra.Command {
	var ch choice
	cmd := &cobra.Command{
		Use:   "start [NAME...]",
		Short: "Start services now, and give them back the triggers that stop took away",
		Long: `start starts services that are down, or due later, and waits until they run. Triggers that dpctl stop has taken away,
whoever called it, are given back first. A service that runs is left alone.

The exit status is 1 if a program ended at once with another status than 0, and 5 if it did not start within --timeout.`,
		ValidArgsFunction: p.completeServices,
		RunE: func(_ *cobra.Command, names []string) error {
			ch.names = names
			return p.act(&ch, p.timeout, start)
		},
	}
	p.addTagFlag(cmd, &ch)
	return cmd
}

func start(ctx context.Context, c *client.Client, name string) (string, error) {
	before, _ := c.Service(name)
	restored, err := giveTriggers(ctx, c, name)
	if err != nil {
		return "", err
	}
	after, _ := c.Service(name)
	suffix := ""
	if restored {
		suffix = "; it has its triggers again: " + remembered{triggers: triggersOf(after)}.String()
	}
	if before.State == client.Up {
		return fmt.Sprintf("%s runs already, pid %d%s", name, before.PID, suffix), nil
	}
	said, err := launch(ctx, c, name)
	return said + suffix, err
}
