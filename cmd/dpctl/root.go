package main

import (
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// version is stamped by make build.
var version = "unknown"

// defaultSocket is asked if nobody names another one.
const defaultSocket = "/run/daemonproxy.sock"

const defaultTimeout = 10 * time.Second

// program is what all commands share.
type program struct {
	out, err io.Writer
	socket   string        // -S, or empty
	timeout  time.Duration // --timeout
}

// run is the whole of dpctl; it returns the exit status.
func run(args []string, out, err io.Writer) int {
	p := &program{out: out, err: err}
	root := newRootCommand(p)
	root.SetArgs(args)
	return p.report(root.Execute())
}

func newRootCommand(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:           "dpctl",
		Short:         "See and steer what a running daemonproxy runs",
		Long:          rootLong,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if p.timeout < 0 {
				return fail(exitUsage, "--timeout %v: a time to wait can't be negative (%s)", p.timeout, usageAdvice)
			}
			return nil
		},
	}
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	flags := root.PersistentFlags()
	flags.StringVarP(&p.socket, "socket", "S", "", "path of the control socket")
	flags.DurationVar(&p.timeout, "timeout", defaultTimeout, "how long to wait, for daemonproxy and for what it is to do")
	must(root.MarkPersistentFlagFilename("socket"))
	must(root.RegisterFlagCompletionFunc("timeout", cobra.NoFileCompletions))

	root.AddCommand(
		newStatusCommand(p),
		newStartCommand(p),
		newStopCommand(p),
		newRestartCommand(p),
		newSignalCommand(p),
		newWaitCommand(p),
		newEventsCommand(p),
		newSendCommand(p),
		newLogLevelCommand(p),
		newFDsCommand(p),
		newGraphCommand(p),
		newTopCommand(p),
		newCheckCommand(p),
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, topic []string) error { return isCommand(root, topic) }
		case "completion": // cobra shows its help for any shell, and calls that a success
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	return root
}

// isCommand refuses words that are no command; cobra would explain the words before them.
func isCommand(root *cobra.Command, words []string) error {
	_, rest, err := root.Find(words)
	if err == nil && len(rest) > 0 {
		err = fail(exitUsage, "no command is called %q (%s)", strings.Join(words, " "), usageAdvice)
	}
	return err
}

const rootLong = `dpctl shows what a running daemonproxy runs, starts and stops it, and follows what happens.

It connects to the control socket that -S names, else to $DAEMONPROXY_SOCKET, else to ` + defaultSocket + `.
daemonproxy makes one with its option -S PATH, or by the command socket.create.

Exit status:
  0  done
  1  daemonproxy refused, or something went wrong
  2  dpctl was called in a wrong way
  3  a service that was named is not up (status)
  4  no daemonproxy, no permission, or the connection broke
  5  time was up`

// socketPath is where to connect, and who says so.
func (p *program) socketPath() (path, origin string) {
	if p.socket != "" {
		return p.socket, "given by -S"
	}
	if path := os.Getenv("DAEMONPROXY_SOCKET"); path != "" {
		return path, "given by $DAEMONPROXY_SOCKET"
	}
	return defaultSocket, "the default, as neither -S nor $DAEMONPROXY_SOCKET is given"
}

// must is for what fails only if a name in this program is wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
