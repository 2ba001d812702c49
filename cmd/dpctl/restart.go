package main

import (
	"context"

	"daemonproxy/controller/client"

	"github.com/spf13/cobra"
)

func newRestartCommand(p *program) *cobra.Command {
	var ch choice
	cmd := &cobra.Command{
		Use:   "restart [NAME...]",
		Short: "End services and start them again",
		Long: `restart ends what runs as dpctl stop does (SIGTERM, then SIGKILL after --timeout), but leaves the triggers alone, and then
starts it at once, without the pause that a trigger would make. What is down is started as by dpctl start.`,
		ValidArgsFunction: p.completeServices,
		RunE: func(_ *cobra.Command, names []string) error {
			ch.names = names
			return p.act(&ch, 0, p.restart)
		},
	}
	p.addTagFlag(cmd, &ch)
	return cmd
}

func (p *program) restart(ctx context.Context, c *client.Client, name string) (string, error) {
	ended := ""
	if s, _ := c.Service(name); s.State == client.Up {
		how, err := p.end(ctx, c, s)
		if err != nil {
			return "", err
		}
		ended = " (before: " + how + ")"
	}
	limited, cancel := p.limitedIn(ctx)
	defer cancel()
	if ended == "" {
		return start(limited, c, name)
	}
	if _, err := giveTriggers(limited, c, name); err != nil {
		return "", err
	}
	said, err := launch(limited, c, name)
	return said + ended, err
}
