package main

import (
	"fmt"
	"slices"
	"strings"

	"daemonproxy/controller/client"

	"github.com/spf13/cobra"
)

// goals are what one can wait for.
var goals = []string{client.Up, client.Down, client.Deleted}

func newWaitCommand(p *program) *cobra.Command {
	var ch choice
	var goal string
	cmd := &cobra.Command{
		Use:   "wait [NAME...]",
		Short: "Wait until services are up, down or deleted",
		Long: `wait returns once all services that are named, or that have the tags now, are in a state at the same time. A name need
not exist yet. Without --timeout it waits for as long as it takes; with it, the exit status is 5 when time is up.`,
		Example:           "  dpctl wait db --timeout 30s && dpctl start web\n  dpctl wait --for down job",
		ValidArgsFunction: p.completeServices,
		RunE: func(cmd *cobra.Command, names []string) error {
			ch.names = names
			return p.wait(&ch, goal, cmd.Flags().Changed("timeout"))
		},
	}
	p.addTagFlag(cmd, &ch)
	cmd.Flags().StringVar(&goal, "for", client.Up, "the state to wait for: up, down or deleted")
	must(cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(goals, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func (p *program) wait(ch *choice, goal string, limited bool) error {
	if !slices.Contains(goals, goal) {
		return fail(exitUsage, "--for %s: it can wait for %s", goal, strings.Join(goals, ", "))
	}
	if err := ch.require(); err != nil {
		return err
	}
	c, err := p.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	state := c.State()
	names, err := ch.services(&state)
	if err != nil {
		return err
	}
	if !limited {
		p.timeout = 0
	}
	ctx, cancel := p.limited()
	defer cancel()
	met := make(chan outcome, 1)
	go func() {
		err := c.Wait(ctx, func(state *client.State) bool { return len(others(state, names, goal)) == 0 })
		met <- outcome{err: err}
	}()
	progress := newProgress(p.err)
	defer progress.stop()
	if err := progress.await(names, met).err; !isTime(err) {
		return err
	}
	state = c.State()
	return fail(exitTimedOut, "after %v still not %s: %s", p.timeout, goal, strings.Join(others(&state, names, goal), ", "))
}

// others are the services that are not in the state, with the one they are in.
func others(state *client.State, names []string, goal string) (others []string) {
	for _, name := range names {
		s, ok := state.Services[name]
		now := s.State
		if !ok {
			now = client.Deleted
		}
		if now == goal {
			continue
		}
		if !ok {
			now = "not there"
		}
		others = append(others, fmt.Sprintf("%s (%s)", name, now))
	}
	return others
}
