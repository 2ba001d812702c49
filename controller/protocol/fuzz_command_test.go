package protocol

import (
	"bytes"
	"hash/crc32"
	"regexp"
	"testing"
)

// FuzzArguments: any arguments of each command, whose name a fuzzer need not find.
func FuzzArguments(f *testing.F) {
	for _, s := range seeds {
		name, arguments, _ := bytes.Cut(tabs(s), []byte{'\t'})
		if verb := verbByName(name); verb != Unknown {
			f.Add(byte(verb), arguments)
		}
	}
	f.Fuzz(func(t *testing.T, verb byte, arguments []byte) {
		line := append([]byte(Verb(verb%byte(verbs-1)+1).String()), '\t')
		checkLine(t, append(line, arguments...))
	})
}

// checkLine: what was parsed and appended is parsed to the same command, and appended to the same line; what was
// accepted is within its limits; an error is one that the command is documented to have, and fits into an event;
// nothing is allocated.
func checkLine(t *testing.T, line []byte) {
	if len(line) >= MaxLine || Classify(line) != Line || bytes.IndexByte(line, '\n') >= 0 {
		return
	}
	var first, second Command
	Parse(line, &first)
	checkAllocations(t, line, &second)
	if first.Err.Code != OK {
		checkError(t, &first, line)
		return
	}
	checkLimits(t, &first, line)
	canonical := first.Append(nil)
	Parse(canonical, &second)
	if !same(&first, &second) {
		t.Errorf("%q to %q:\n%+v\n%+v", line, canonical, first, second)
	}
	if again := second.Append(nil); !bytes.Equal(again, canonical) {
		t.Errorf("%q to %q", canonical, again)
	}
}

// checkAllocations measures some of the lines, as measuring costs far more than parsing. The fuzzer's own goroutines
// allocate now and then, so one run without any is enough.
func checkAllocations(t *testing.T, line []byte, c *Command) {
	if crc32.ChecksumIEEE(line)%64 != 0 {
		return
	}
	buf := make([]byte, 0, 2*MaxEvent)
	for range 5 {
		if testing.AllocsPerRun(1, func() {
			if Parse(line, c); c.Err.Code == OK {
				buf = c.Append(buf[:0])
			} else {
				buf = AppendError(buf[:0], c.Err, line)
			}
		}) == 0 {
			return
		}
	}
	t.Errorf("%q: parsing allocates", line)
}

const (
	serviceName = "Expected service name|Invalid service name|"
	handleName  = "Expected file descriptor name|Invalid file descriptor name|"
	newHandle   = handleName + "File descriptor cannot be altered|"
	signalName  = "Expected signal argument|Invalid signal number|Invalid signal argument|"
	integer     = "Expected integer|"
)

// argumentErrors are the texts that the protocol's description has for faults in the arguments of each command.
var argumentErrors = [verbs]string{
	Unknown:           `Unknown command: [^\t]*`,
	Chdir:             "missing path argument|unexpected argument after path",
	ServiceTags:       serviceName,
	ServiceArgs:       serviceName,
	ServiceFDs:        serviceName + "invalid fd name",
	ServiceAutoUp:     serviceName + integer + "invalid interval|unable to set auto_up triggers",
	ServiceStart:      serviceName + "invalid timestamp",
	ServiceSignal:     serviceName + signalName + `unknown option "[^\t]*"`,
	ServiceDelete:     serviceName,
	SocketCreate:      "missing argument|Invalid options",
	FDPipe:            newHandle + `read and write names must differ|unknown flag "[^\t]+"`,
	FDOpen:            newHandle + `missing flags argument|missing path argument|unexpected argument after path|unknown flag "[^\t]+"`,
	FDSocket:          newHandle + `missing flags argument|unknown flag "[^\t]+"|invalid listen queue length|` + socketAddress,
	FDTake:            newHandle,
	FDDelete:          newHandle,
	LogFilter:         "Invalid loglevel argument",
	LogDest:           "missing argument|Unknown logging type|" + handleName,
	ConnEventTimeout:  integer + `invalid timeout \(must be 0\.\.7FFFFFFF\)|reset timeout is greater than close timeout`,
	SignalClear:       signalName + integer,
	TerminateExecArgs: `exec arguments exceed buffer size \(4095\)`,
	TerminateGuard:    `expected \+ or -|code cannot be 0|` + integer,
	Terminate:         integer,
}

const socketAddress = "invalid address|expected address argument|unexpected argument after address"

var argumentError = func() (all [verbs]*regexp.Regexp) {
	for verb, texts := range argumentErrors {
		if texts != "" {
			all[verb] = regexp.MustCompile(`(?s)\A(?:` + texts + `)\z`)
		}
	}
	return all
}()

func checkError(t *testing.T, c *Command, line []byte) {
	documented := argumentError[c.Verb]
	if text := c.Err.Append(nil); len(text) == 0 || documented == nil || !documented.Match(text) {
		t.Errorf("%q: %s has no error %q", line, c.Verb, text)
	}
	event := AppendError(nil, c.Err, line)
	if len(event) > MaxEvent || bytes.IndexByte(event, '\n') != len(event)-1 {
		t.Errorf("%q: event of %d bytes: %q", line, len(event), event)
	}
}

// checkLimits: an accepted value can be used as it is.
func checkLimits(t *testing.T, c *Command, line []byte) {
	bad := func(what string) { t.Errorf("%q is accepted with %s: %+v", line, what, c) }
	switch c.Verb {
	case FDTake, FDDelete, FDOpen, FDSocket, FDPipe:
		if !ValidName(c.Name) || IsConstant(c.Name) {
			bad("a handle's bad name")
		}
	case LogDest:
		if !ValidName(c.Name) {
			bad("a handle's bad name")
		}
	}
	if c.Named && !ValidName(c.Name) {
		bad("a service's bad name")
	}
	if c.Verb == FDPipe && (!ValidName(c.Peer) || IsConstant(c.Peer) || bytes.Equal(c.Name, c.Peer)) {
		bad("a bad peer")
	}
	for _, text := range [][]byte{c.Name, c.Peer, c.Path} {
		if bytes.IndexByte(text, '\t') >= 0 || !bytes.Contains(line, text) {
			bad("a field that is none")
		}
	}
	if !bytes.HasSuffix(line, c.Value) {
		bad("a value that is not the rest of the line")
	}
	if c.Verb == ServiceFDs {
		for _, name := range bytes.Split(c.Value, []byte{'\t'}) {
			if len(name) > 0 && !ValidName(name) {
				bad("a bad name in the list")
			}
		}
	}
	if c.Verb == ServiceAutoUp && (c.KeepInterval != (c.Interval == 0) || c.Interval < 0 || c.Interval > MaxInterval ||
		c.Triggers.Enabled() == (len(c.Value) == 0)) {
		bad("a bad interval or triggers")
	}
	if c.Signal > MaxSignal || c.Mode > 0o777 || c.Level > LevelFatal || c.LevelSet > LevelTo || len(c.Value) > MaxExecArgs {
		bad("a number out of range")
	}
	if c.Reset < 0 || c.Reset > c.Close || c.Close > MaxTimeout || c.Verb == TerminateGuard && c.Code == 0 {
		bad("bad timeouts or a bad guard")
	}
	if c.Verb == FDSocket {
		checkSocket(bad, c)
	}
}

func checkSocket(bad func(string), c *Command) {
	s := &c.Socket
	if s.Listen != (c.Listen >= 1) || c.Listen > MaxListen || s.Listen && !s.Bind || s.Pair {
		bad("a bad queue length")
	}
	if s.Bind && (c.Address.Domain != s.Domain || s.Domain == Unix && !ValidSocketPath(c.Path)) || !s.Bind && len(c.Path) > 0 {
		bad("a bad address")
	}
}
