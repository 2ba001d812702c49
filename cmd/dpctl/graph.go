package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
)

// graphFormats are what --format may say, and who writes it. svg is written by graphviz.
var graphFormats = []struct {
	name  string
	write func(*picture) string
}{
	{"text", (*picture).text},
	{"dot", (*picture).dot},
	{"mermaid", (*picture).mermaid},
	{"svg", (*picture).dot},
}

func newGraphCommand(p *program) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "graph",
		Short: "Draw services and the pipes, sockets and files between them",
		Long: `graph draws services, and the pipes, sockets and files that they list as their descriptors. Arrows show which way bytes go,
and the numbers at them are the descriptor numbers in the service. Handles that no service lists are drawn too, but for
those that daemonproxy has by itself; /dev/null is not drawn.

  text     for a terminal
  dot      for graphviz
  mermaid  for documents that show mermaid
  svg      a picture, drawn by graphviz's program dot; the exit status is 1 if that is not installed`,
		Example:           "  dpctl graph\n  dpctl graph --format svg >services.svg",
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return p.graph(format) },
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text, dot, mermaid or svg")
	names := make([]string, len(graphFormats))
	for i, f := range graphFormats {
		names[i] = f.name
	}
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

func (p *program) graph(format string) error {
	for _, f := range graphFormats {
		if f.name == format {
			return p.draw(format, f.write)
		}
	}
	return fail(exitUsage, "no format is called %q: there are text, dot, mermaid and svg (%s)", format, usageAdvice)
}

func (p *program) draw(format string, write func(*picture) string) error {
	c, err := p.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	state := c.State()
	drawn := write(newPicture(&state))
	if format == "svg" {
		if drawn, err = p.graphviz(drawn); err != nil {
			return err
		}
	}
	_, err = fmt.Fprint(p.out, drawn)
	return err
}

// graphviz makes a picture of a text for dot.
func (p *program) graphviz(text string) (string, error) {
	ctx, cancel := p.limitedIn(context.Background())
	defer cancel()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "dot", "-Tsvg")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), &out, &complaint
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "", fail(exitFailed, "svg is drawn by graphviz, whose program dot is not installed\n"+
			"  Install graphviz, or use --format dot here and dot -Tsvg elsewhere, or --format mermaid or text.")
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", fail(exitFailed, "dot -Tsvg failed: %v\n%s", err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}
