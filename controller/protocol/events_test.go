package protocol

import (
	"bytes"
	"strings"
	"syscall"
	"testing"
)

func TestEvents(t *testing.T) {
	n := []byte("n")
	state := func(s ServiceState) []byte { return AppendServiceState(nil, n, &s) }
	fd := func(s FDState) []byte { return AppendFDState(nil, n, &s) }
	desc := []byte("/a b")
	pair := SocketFlags{Pair: true, Kind: Dgram, NonBlock: true}
	all := SocketFlags{Kind: Seqpacket, Bind: true, Listen: true, Mkdir: true, NonBlock: true}
	tests := []struct {
		got  []byte
		want string
	}{
		{state(ServiceState{Phase: PhaseStart, Time: 989}), "service.state|n|start|989|-|-|-|-|-"},
		{state(ServiceState{Phase: PhaseUp, Time: 989, PID: 14643, Uptime: 5}), "service.state|n|up|989|14643|-|-|5|-"},
		{state(ServiceState{}), "service.state|n|down|-|-|-|-|-|-"},
		{state(ServiceState{Phase: PhaseDownNever, Time: 5, PID: 7}), "service.state|n|down|-|-|-|-|-|-"},
		{state(ServiceState{Phase: PhaseDownExited, Time: 9, PID: 7, Status: 255, Uptime: 3, Downtime: 2}),
			"service.state|n|down|9|7|exit|255|3|2"},
		{state(ServiceState{Phase: PhaseDownSignaled, Time: 9, PID: 7, Signal: 9}), "service.state|n|down|9|7|signal|SIGKILL|0|0"},
		{state(ServiceState{Phase: PhaseDownSignaled, Time: 9, PID: 7, Signal: 34}), "service.state|n|down|9|7|signal|SIG-?|0|0"},
		{state(ServiceState{Phase: PhaseDeleted}), "service.state|n|deleted|-|-|-|-|-|-"},
		{AppendServiceValue(nil, ServiceTags, n, []byte("a\t\tb\t")), "service.tags|n|a||b|"},
		{AppendServiceValue(nil, ServiceArgs, n, nil), "service.args|n|"},
		{AppendServiceValue(nil, ServiceFDs, n, []byte("-")), "service.fds|n|-"},
		{AppendServiceAutoUp(nil, n, 0, []byte("always\tTERM")), "service.auto_up|n|0|always|TERM"},
		{AppendServiceAutoUp(nil, n, 5, nil), "service.auto_up|n|-"},

		{fd(FDState{Desc: []byte("unknown")}), "fd.state|n|file|read|unknown"},
		{fd(FDState{Open: OpenWrite, Desc: desc}), "fd.state|n|file|write|/a b"},
		{fd(FDState{Open: OpenAppend, Desc: desc}), "fd.state|n|file|read,append|/a b"},
		{fd(FDState{Open: 127, Desc: desc}), "fd.state|n|file|read,write,append,create,trunc,nonblock,mkdir|/a b"},
		{fd(FDState{Type: Special, Open: OpenRead | OpenWrite, Desc: []byte("/dev/null")}), "fd.state|n|special|read,write|/dev/null"},
		{fd(FDState{Type: Pipe, Desc: []byte("w")}), "fd.state|n|pipe|from|w"},
		{fd(FDState{Type: Pipe, WriteEnd: true, Desc: []byte("?")}), "fd.state|n|pipe|to|?"},
		{fd(FDState{Type: Pipe, Socket: SocketFlags{NonBlock: true}, Desc: []byte("w")}), "fd.state|n|pipe|nonblock,from|w"},
		{fd(FDState{Type: Pipe, Socket: SocketFlags{Pair: true}, Desc: []byte("w")}), "fd.state|n|pipe|unix,stream,to|w"},
		{fd(FDState{Type: Pipe, WriteEnd: true, Socket: pair, Desc: []byte("r")}), "fd.state|n|pipe|unix,dgram,nonblock,to|r"},
		{fd(FDState{Type: Socket}), "fd.state|n|socket|unix,stream|"},
		{fd(FDState{Type: Socket, Socket: SocketFlags{Domain: Inet6, Mkdir: true}}), "fd.state|n|socket|inet6,stream,mkdir|"},
		{fd(FDState{Type: Socket, Socket: all, Listen: 32, Desc: desc}),
			"fd.state|n|socket|unix,seqpacket,bind,listen=32,mkdir,nonblock|/a b"},
		{AppendFDDeleted(nil, n), "fd.state|n|deleted"},

		{AppendSignal(nil, 15, 12, 3), "signal|SIGTERM|12|3"},
		{AppendEcho(nil, []byte("\t")), "|"},
		{AppendLogFilter(nil, LevelDebug), "log.filter|debug"},
		{AppendMemory(nil, &[5]int64{1, 2, -1, 0, 1 << 40}), "memory|1|2|-|0|1099511627776"},
		{AppendInfo(nil, "hello there"), "info|hello there"},
		{AppendNotDefined(nil, n), `warning: fd "n" is not yet defined`},
		{AppendNotExist(nil, n), `warning|fd "n" does not exist`},
	}
	for _, test := range tests {
		if want := string(tabs(test.want)) + "\n"; string(test.got) != want {
			t.Errorf("%q, want %q", test.got, want)
		}
	}
}

func TestAppendError(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		err        Error
		line, want string
	}{
		{Error{Code: NoSuchFD}, "fd.delete|x", `error|No such file descriptor, for command "fd.delete|x"`},
		{Error{Code: NoSuchFD}, x(29), `error|No such file descriptor, for command "` + x(29) + `"`},
		{Error{Code: NoSuchFD}, x(30), `error|No such file descriptor, for command "` + x(30) + `..."`},
		{Error{Code: NoSuchFD}, x(31), `error|No such file descriptor, for command "` + x(30) + `..."`},
		{Error{Code: UnknownCommand, Arg: []byte("foo")}, "foo|x", "error|Unknown command: foo"},
		{Error{Code: UnknownCommand}, "|x", "error|Unknown command: "},
		{Error{Code: LineTooLong}, "", "error|line too long"},
		{Error{Code: LineNUL}, "a\x00", "error|line contains NUL"},
		{Error{Code: Internal}, "echo", "error|internal error"},
	}
	for _, test := range tests {
		got := AppendError(nil, test.err, tabs(test.line))
		if want := string(tabs(test.want)) + "\n"; string(got) != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	enoent := syscall.ENOENT
	for code, want := range map[Code]string{
		ChdirFailed:      "chdir failed: No such file or directory",
		KillFailed:       "can't kill s (pid 7): No such file or directory",
		KillGroupFailed:  "can't kill s (pgid 7): No such file or directory",
		OptionUnknown:    `unknown option "s"`,
		FlagUnknown:      `unknown flag "s"`,
		SocketpairFailed: "socketpair() failed: No such file or directory",
		PipeFailed:       "pipe() failed: No such file or directory",
		PipeFcntlFailed:  "fcntl(O_NONBLOCK) failed: No such file or directory",
		OpenFailed:       "open failed: No such file or directory",
		SocketFailed:     "socket: No such file or directory",
		SetsockoptFailed: "setsockopt: No such file or directory",
		BindFailed:       "bind: No such file or directory",
		ListenFailed:     "listen: No such file or directory",
		FcntlFailed:      "fcntl(O_NONBLOCK): No such file or directory",
	} {
		e := Error{Code: code, Arg: []byte("s"), Num: 7, Errno: uint16(enoent)}
		if got := string(e.Append(nil)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	texts := map[string]Code{}
	for c := OK + 1; c < codes; c++ {
		text := string(Error{Code: c}.Append(nil))
		if text == "" {
			t.Errorf("code %d has no text", c)
		}
		if other, twice := texts[text]; twice {
			t.Errorf("codes %d and %d: %s", c, other, text)
		}
		texts[text] = c
	}
	if got := string(Error{Code: codes}.Append(nil)); got != "internal error" {
		t.Errorf("beyond the table: %q", got)
	}
}

func TestAppendLogQuote(t *testing.T) {
	for n, want := range map[int]string{
		0:   "''",
		89:  "'" + strings.Repeat("x", 89) + "'",
		90:  "'" + strings.Repeat("x", 90) + "'...",
		500: "'" + strings.Repeat("x", 90) + "'...",
	} {
		if got := AppendLogQuote(nil, bytes.Repeat([]byte("x"), n)); string(got) != want {
			t.Errorf("%d bytes: %q", n, got)
		}
	}
}

// The longest lines that a command can cause.
func TestMaxEvent(t *testing.T) {
	fill := func(head string) []byte {
		line := tabs(head)
		return append(line, bytes.Repeat([]byte("x"), MaxLine-1-len(line))...)
	}
	check := func(what string, event []byte) {
		t.Helper()
		if len(event) > MaxEvent {
			t.Errorf("%s: %d bytes", what, len(event))
		}
	}
	for _, head := range []string{"", "fd.pipe|a|b|", "fd.socket|a|", "service.signal|a|0|"} {
		line := fill(head)
		var c Command
		Parse(line, &c)
		if len(c.Err.Arg) == 0 {
			t.Fatalf("%s: %v", head, c.Err)
		}
		check(head, AppendError(nil, c.Err, line))
	}
	var c Command
	Parse(fill("fd.open|a|append,create,trunc,nonblock,mkdir|"), &c)
	check("fd.open", AppendFDState(nil, c.Name, &FDState{Open: c.Open, Desc: c.Path}))
	Parse(fill("service.auto_up|a|-|HUP||"), &c)
	check("service.auto_up", AppendServiceAutoUp(nil, c.Name, MaxInterval, c.Value))
	Parse(fill("service.args|a|"), &c)
	check("service.args", AppendServiceValue(nil, c.Verb, c.Name, c.Value))
}
