package main

import (
	"context"

	"daemonproxy/controller/client"

	"github.com/spf13/cobra"
)

func newStopCommand(p *program) *cobra.Command {
	var ch choice
	cmd := &cobra.Command{
		Use:   "stop [NAME...]",
		Short: "End services and keep them from starting by themselves",
		Long: `stop takes the triggers of services away, so that they do not start again by themselves, cancels a start that is due
later, and ends what runs: SIGTERM, then SIGKILL after --timeout (0: never). It waits until that is done. The exit status is 5 if a
process outlives SIGKILL.

The triggers are remembered in a tag of the service, ` + rememberKey + `=INTERVAL,TRIGGER,..., which is written first; dpctl start
gives them back, whoever calls it. The tag is never overwritten: change a stopped service's triggers after a start.`,
		ValidArgsFunction: p.completeServices,
		RunE: func(_ *cobra.Command, names []string) error {
			ch.names = names
			return p.act(&ch, 0, p.stop)
		},
	}
	p.addTagFlag(cmd, &ch)
	return cmd
}

func (p *program) stop(ctx context.Context, c *client.Client, name string) (string, error) {
	brief, cancel := p.limitedIn(ctx)
	defer cancel()
	r, ok, err := takeTriggers(brief, c, name)
	if err != nil {
		return "", err
	}
	said, err := p.bringDown(ctx, c, name)
	if ok {
		said += "; dpctl start gives its triggers back: " + r.String()
	}
	return said, err
}

// bringDown ends a service that has no triggers any more. If it is started nevertheless, that was somebody else.
func (p *program) bringDown(ctx context.Context, c *client.Client, name string) (string, error) {
	said := ""
	for {
		s, ok := c.Service(name)
		switch {
		case !ok:
			return "", fail(exitFailed, "%s: somebody has deleted it", name)
		case said != "" && s.State != client.Down:
			return "", fail(exitFailed, "%s: it was stopped (%s), but somebody has started it again", name, said)
		case s.State == client.Down && said != "":
			return name + " stopped (" + said + ")", nil
		case s.State == client.Down:
			return name + " is down already", nil
		case s.State == client.Up:
			how, err := p.end(ctx, c, s)
			if err != nil {
				return "", err
			}
			said = how
		default:
			cancelled, err := p.cancelStart(ctx, c, s)
			if err != nil || cancelled {
				return name + " will not start: that was due " + since(s), err
			}
		}
	}
}

// cancelStart withdraws a start. Once a program is being begun, daemonproxy refuses that for as long as it takes.
func (p *program) cancelStart(ctx context.Context, c *client.Client, s client.Service) (cancelled bool, err error) {
	limited, cancel := p.limitedIn(ctx)
	defer cancel()
	for {
		err := do(limited, c, "service.start", s.Name, "-")
		if refusal(err) != "no service.start pending" {
			return err == nil, err
		}
		pause, cancelPause := within(limited, retryPause)
		_, err = awaitState(pause, c, s.Name, func(s client.Service) bool { return s.State != client.Start })
		cancelPause()
		if err == nil || limited.Err() != nil || !isTime(err) {
			return false, err
		}
	}
}
