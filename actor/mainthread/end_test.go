package mainthread

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestEndsWithoutExec(t *testing.T) {
	services := map[string]int{"b": 12, "a": 34, "B": 56}
	const list = "warning: service 'B' running as pid 56\n" +
		"warning: service 'a' running as pid 34\n" +
		"warning: service 'b' running as pid 12\n"
	for name, c := range map[string]struct {
		plan
		code           int
		stdout, stderr string
	}{
		"leave": {
			plan{How: "Leave", Code: 5, Text: TerminatedNormally, Running: services}, 5, "",
			"info: daemonproxy exiting\n" + list,
		},
		"leave 300": {
			plan{How: "Leave", Code: 300}, 44, "", "info: daemonproxy exiting\n",
		},
		"leave -1": {
			plan{How: "Leave", Code: -1}, 255, "", "info: daemonproxy exiting\n",
		},
		"leave with guard": {
			plan{How: "Leave", Code: 6, Guard: 1}, 6, "", "info: daemonproxy exiting\n",
		},
		"session": {
			plan{How: "EndSession"}, 0, "", "info: interactive session ended\ninfo: daemonproxy exiting\n",
		},
		"session after an order": {
			plan{How: "Terminate, EndSession", Code: 6}, 6, "", "info: daemonproxy exiting\n",
		},
		"session after an order, with guard": {
			plan{How: "Terminate, EndSession", Code: 6, Guard: 1}, 6, "", "info: daemonproxy exiting\n",
		},
		"fatal": {
			plan{How: "Fatal", Code: 3, Text: "some text", Running: services}, 3, "",
			"fatal: some text\n" + list,
		},
		"fatal with guard": {
			plan{How: "Fatal", Code: 3, Text: "some text", Guard: -1, Running: services}, 0, "returned\n",
			"fatal: (attempting to continue) some text\n",
		},
		"signal": {
			plan{How: "FatalSignal", Code: int64(unix.SIGABRT), Running: services}, 4, "",
			"fatal: Received signal SIGABRT (6)\n" + list,
		},
		"signal with guard": {
			plan{How: "FatalSignal", Code: int64(unix.SIGSEGV), Guard: 1}, 0, "returned\n",
			"fatal: (attempting to continue) Received signal SIGSEGV (11)\n",
		},
		"internal error": {
			plan{How: "InternalError", Text: "oh"}, 4, "", "fatal: internal error: oh\n",
		},
		"quit": {
			plan{How: "Quit", Code: 1}, 1, "", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			carryOut(t, c.plan, "").want(t, c.code, c.stdout, c.stderr)
		})
	}
}

func TestFailedExec(t *testing.T) {
	const noProgram = "/nonexistent/program"
	const tried = "warning: daemonproxy exec_on_exit to '/nonexistent/program'\n" +
		"warning: service 's' running as pid 9\n" +
		"error: Unable to exec \"/nonexistent/program\": No such file or directory\n"
	services := map[string]int{"s": 9}
	for name, c := range map[string]struct {
		plan
		code   int
		stderr string
	}{
		"leave": {
			plan{How: "Leave", Code: 300, Text: TerminatedNormally}, 44,
			tried + "fatal: terminated normally\n",
		},
		"leave with guard": {
			plan{How: "Leave", Code: 7, Text: TerminatedNormally, Guard: 1}, 7,
			tried + "fatal: (attempting to continue) terminated normally\ninfo: daemonproxy exiting\n",
		},
		"fatal": {
			plan{How: "Fatal", Code: 4, Text: "broken"}, 4, tried + "fatal: broken\n",
		},
		"fatal with guard": {
			plan{How: "Fatal", Code: 4, Text: "broken", Guard: 1}, 4,
			tried + "fatal: (attempting to continue) broken\ninfo: daemonproxy exiting\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.Args, c.Running = noProgram+"\targ", services
			carryOut(t, c.plan, "").want(t, c.code, "", c.stderr)
		})
	}
	t.Run("no name", func(t *testing.T) {
		carryOut(t, plan{How: "Leave", Args: "\targ", Text: "x"}, "").want(t, 0, "",
			"warning: daemonproxy exec_on_exit to ''\nerror: Unable to exec \"\": No such file or directory\nfatal: x\n")
	})
}
