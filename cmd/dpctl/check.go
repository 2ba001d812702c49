package main

import (
	"errors"
	"fmt"
	"os"

	"daemonproxy/controller/config"

	"github.com/spf13/cobra"
)

func newCheckCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Find the mistakes of config files, without running anything",
		Long: `check reads config files as daemonproxy would (- is stdin) and prints every mistake as FILE:LINE: MESSAGE. It runs and
opens nothing but the files, and needs no daemonproxy. Besides what daemonproxy would refuse it finds spaces where TABs belong, services
without args, and handles that are not there when a service is started, or not at all.

What only doing it can show is not found: a program or a path that does not exist, a port that is taken. It takes handles
fd_N for inherited ones, and the service main for that of daemonproxy -- PROGRAM.

The exit status is 1 if there are mistakes, so that it fits into a pre-commit hook.`,
		Example: "  dpctl check /etc/daemonproxy.conf\n  git show :daemonproxy.conf | dpctl check -",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(_ *cobra.Command, files []string) error { return p.check(files) },
	}
}

// check looks at all files, also after one that can't be read.
func (p *program) check(files []string) error {
	status := exitDone
	for _, file := range files {
		problems, err := checkFile(file)
		if err != nil {
			status = p.report(fail(exitFailed, "%v", err))
			continue
		}
		for _, problem := range problems {
			status = exitFailed
			if _, err := fmt.Fprintf(p.out, "%s:%d: %s\n", label(file), problem.Line, printable(problem.Text)); err != nil {
				return err
			}
		}
	}
	if status != exitDone {
		return &failure{status: status}
	}
	return nil
}

func checkFile(file string) ([]config.Problem, error) {
	if file == "-" {
		return config.Check(os.Stdin)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	problems, err := config.Check(f)
	return problems, errors.Join(err, f.Close())
}

// label is how a file's mistakes name it.
func label(file string) string {
	if file == "-" {
		return "stdin"
	}
	return file
}
