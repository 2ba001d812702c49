package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"daemonproxy/controller/client"
)

// The exit statuses, as the help and docs/dpctl.md promise them.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitNotUp     = 3
	exitNoDaemon  = 4
	exitTimedOut  = 5
	usageAdvice   = "see dpctl --help"
	closedMeaning = "it has ended, or has closed the connection"
)

// failure is an error with its exit status. Without text there is nothing to say beyond the status.
type failure struct {
	status int
	text   string
}

func (f *failure) Error() string { return f.text }

func fail(status int, format string, args ...any) error {
	return &failure{status, fmt.Sprintf(format, args...)}
}

// usage makes a mistake in the call of an error.
func usage(err error) error {
	return fail(exitUsage, "%v (%s)", err, usageAdvice)
}

// report says what went wrong and returns the exit status.
func (p *program) report(err error) int {
	if err == nil {
		return exitDone
	}
	f := classify(err)
	if f.text != "" {
		lines := strings.Split(f.text, "\n")
		for i := range lines {
			lines[i] = printable(lines[i])
		}
		fmt.Fprintln(p.err, "dpctl: "+strings.Join(lines, "\n"))
	}
	return f.status
}

// classify finds the exit status of an error.
func classify(err error) *failure {
	var f *failure
	var refused *client.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &refused):
		return &failure{exitFailed, refused.Error()}
	case errors.Is(err, client.ErrDisconnected):
		return &failure{exitNoDaemon, "the connection to daemonproxy broke: " + closedMeaning}
	case errors.Is(err, errTime), errors.Is(err, context.DeadlineExceeded):
		return &failure{exitTimedOut, errTime.Error()}
	case errors.Is(err, client.ErrLost):
		return &failure{exitFailed, "daemonproxy was too busy to answer, so nobody knows whether the command was carried out: " +
			"see what dpctl status says"}
	case errors.Is(err, client.ErrField), errors.Is(err, client.ErrLine), errors.Is(err, client.ErrTooLong):
		return &failure{exitUsage, err.Error()}
	case isUsage(err):
		return &failure{exitUsage, err.Error() + " (" + usageAdvice + ")"}
	}
	return &failure{exitFailed, err.Error()}
}

// isUsage recognises the errors that cobra makes of a call; they have no type of their own.
func isUsage(err error) bool {
	for _, beginning := range []string{"unknown command", "accepts ", "requires at least", "required flag", "if any flags in the group"} {
		if strings.HasPrefix(err.Error(), beginning) {
			return true
		}
	}
	return false
}

// noConnection says what was tried, why it failed, and what can be done.
func (p *program) noConnection(err error) error {
	path, origin := p.socketPath()
	var notServed *client.NotServedError
	advice := "start daemonproxy with -S " + path + ", or name another socket by -S or DAEMONPROXY_SOCKET"
	reason := err.Error()
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		reason = pathError.Err.Error()
	}
	switch {
	case errors.As(err, &notServed) && errors.Is(err, client.ErrDisconnected):
		reason, advice = "it closed the connection at once", "it may just be ending"
	case errors.As(err, &notServed) || errors.Is(err, errTime):
		return fail(exitTimedOut, "connected to %s (%s), but daemonproxy does not answer in time\n"+
			"  It may be stopped, or serve as many connections as it can: end another client, or see its option --max-clients.",
			path, origin)
	case errors.Is(err, syscall.ECONNREFUSED):
		reason = "nobody listens there (a daemonproxy that was killed leaves the file behind)"
	case errors.Is(err, fs.ErrPermission):
		advice = "who may write to the socket may connect" + ownerOf(path) +
			"; run dpctl as that user, or let daemonproxy make it by socket.create with mode= and gid="
	}
	return fail(exitNoDaemon, "cannot connect to %s (%s): %s\n  %s.", path, origin, reason, strings.ToUpper(advice[:1])+advice[1:])
}

// ownerOf tells whom a socket belongs to, if that can be seen.
func ownerOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" (uid %d, gid %d, mode %04o)", owner.Uid, owner.Gid, info.Mode().Perm())
}
