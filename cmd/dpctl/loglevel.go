package main

import (
	"fmt"
	"strings"

	"daemonproxy/controller/protocol"

	"github.com/spf13/cobra"
)

func newLogLevelCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "log-level [LEVEL|+|-]",
		Short: "Show or set what daemonproxy leaves out of its log",
		Long: `log-level prints the filter of daemonproxy's log: messages of that level and below are left out. With an argument the
filter is set first: to a level, or by one up (+, fewer messages) or down (-, more).`,
		Example: "  dpctl log-level\n  dpctl log-level debug\n  dpctl log-level -",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return levels(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error { return p.logLevel(args) },
	}
}

func (p *program) logLevel(args []string) error {
	c, err := p.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := p.limited()
	defer cancel()
	answer, err := c.Do(ctx, append([]string{"log.filter"}, args...)...)
	if err != nil {
		return err
	}
	for _, line := range answer.Lines {
		if level, ok := strings.CutPrefix(line, "log.filter\t"); ok {
			_, err = fmt.Fprintln(p.out, level)
		}
	}
	return err
}

// levels are the names that the log's filter can have.
func levels() (names []string) {
	for l := protocol.LevelNone; l <= protocol.LevelFatal; l++ {
		names = append(names, l.String())
	}
	return names
}
