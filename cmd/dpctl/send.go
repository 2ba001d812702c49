package main

import (
	"fmt"
	"slices"
	"strings"

	"daemonproxy/controller/client"
	"daemonproxy/controller/protocol"

	"github.com/spf13/cobra"
)

func newSendCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "send COMMAND [ARGUMENT...]",
		Short: "Send one command of the protocol, and print what it brings",
		Long: `send joins its words by TABs, sends that as one command, and prints what came until it was carried out: its answers and
the events that it caused, and perhaps events of others. Options of dpctl stand before COMMAND: what follows it goes to
daemonproxy as it is. If the command is refused, the reason is on stderr and the exit status 1.`,
		Example:           "  dpctl send service.args web /usr/bin/web --port 80\n  dpctl send fd.pipe log.r log.w\n  dpctl send statedump",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: p.completeCommand,
		RunE:              func(_ *cobra.Command, words []string) error { return p.send(words) },
	}
	cmd.Flags().SetInterspersed(false)
	return cmd
}

func (p *program) send(words []string) error {
	c, err := p.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := p.limited()
	defer cancel()
	answer, err := c.DoLine(ctx, strings.Join(words, "\t"))
	for _, line := range answer.Lines {
		if answer.Error != nil && strings.HasPrefix(line, "error\t") {
			continue // that is err, which says it better; an echo may begin so too
		}
		if err := p.printLine(line); err != nil {
			return err
		}
	}
	return err
}

// printLine prints a line of the wire: as it is, but on a terminal nothing that would steer it.
func (p *program) printLine(line string) error {
	if isTerminal(p.out) {
		fields := strings.Split(line, "\t")
		for i := range fields {
			fields[i] = printable(fields[i])
		}
		line = strings.Join(fields, "\t")
	}
	_, err := fmt.Fprintln(p.out, line)
	return err
}

// completeCommand offers commands, then what they are about.
func (p *program) completeCommand(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return verbs(), cobra.ShellCompDirectiveNoFileComp
	}
	switch verb := args[0]; {
	case verb == "service.signal" && len(args) == 2, verb == "signal.clear" && len(args) == 1:
		return signalNames(), cobra.ShellCompDirectiveNoFileComp
	case verb == "log.filter" && len(args) == 1:
		return levels(), cobra.ShellCompDirectiveNoFileComp
	case verb == "log.dest" && len(args) == 1:
		return []string{"fd"}, cobra.ShellCompDirectiveNoFileComp
	case verb == "chdir", verb == "fd.open" && len(args) == 3, verb == "service.args" && len(args) > 1:
		return nil, cobra.ShellCompDirectiveDefault
	case wantsHandle(verb, len(args)):
		return p.live(func(state *client.State, _ []string) []string { return handleNames(state) })(cmd, args, toComplete)
	case strings.HasPrefix(verb, "service.") && len(args) == 1:
		return p.live(func(state *client.State, _ []string) []string { return serviceNames(state) })(cmd, args, toComplete)
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// wantsHandle reports whether the n-th argument of a command is the name of a handle.
func wantsHandle(verb string, n int) bool {
	switch verb {
	case "service.fds", "log.dest":
		return n > 1
	case "fd.pipe":
		return n <= 2
	case "fd.open", "fd.socket", "fd.take", "fd.delete":
		return n == 1
	}
	return false
}

// verbs are all commands.
func verbs() (names []string) {
	for v := protocol.Unknown + 1; v.String() != ""; v++ {
		names = append(names, v.String())
	}
	slices.Sort(names)
	return names
}
