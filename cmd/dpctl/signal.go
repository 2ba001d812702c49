package main

import (
	"context"
	"fmt"
	"strings"

	"daemonproxy/controller/client"
	"daemonproxy/controller/protocol"

	"github.com/spf13/cobra"
)

func newSignalCommand(p *program) *cobra.Command {
	var ch choice
	var group bool
	cmd := &cobra.Command{
		Use:   "signal SIGNAL [NAME...]",
		Short: "Send a signal to services that run",
		Long: `signal sends a signal, named as TERM, SIGTERM or 15, to the programs of services. It does not wait for what they make
of it. Signal 0 only tells whether they are there.`,
		Example: "  dpctl signal HUP web\n  dpctl signal USR1 --tag role=worker",
		Args:    cobra.MinimumNArgs(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return signalNames(), cobra.ShellCompDirectiveNoFileComp
			}
			return p.completeServices(cmd, args, toComplete)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			ch.names = args[1:]
			return p.act(&ch, p.timeout, func(ctx context.Context, c *client.Client, name string) (string, error) {
				return signalService(ctx, c, name, strings.ToUpper(args[0]), group)
			})
		},
	}
	p.addTagFlag(cmd, &ch)
	cmd.Flags().BoolVar(&group, "group", false, "signal the process group, which the service must lead")
	return cmd
}

func signalService(ctx context.Context, c *client.Client, name, signal string, group bool) (string, error) {
	fields := []string{"service.signal", name, signal}
	if group {
		fields = append(fields, "group")
	}
	s, _ := c.Service(name)
	if _, err := c.Do(ctx, fields...); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s got %s, pid %d", name, signal, s.PID), nil
}

// signalNames are those that the protocol has, without SIG.
func signalNames() (names []string) {
	for s := protocol.Signal(1); s <= protocol.MaxSignal; s++ {
		if name := s.String(); name != "SIG-?" {
			names = append(names, strings.TrimPrefix(name, "SIG"))
		}
	}
	return names
}
