package protocol

import (
	"reflect"
	"strings"
	"testing"
)

// command fills in what every parsed command has.
func command(c Command) Command {
	if c.Verb != SocketCreate {
		c.UID, c.GID = -1, -1
	}
	return c
}

func TestParseGood(t *testing.T) {
	b := func(s string) []byte { return tabs(s) }
	unixStream := SocketFlags{}
	bound := SocketFlags{Bind: true}
	listening := SocketFlags{Bind: true, Listen: true}
	long := strings.Repeat("x", MaxName)
	highID := uint32(1<<32 - 2) // negative where an int has 32 bits
	tests := map[string]Command{
		"echo|a||b|":    {Verb: Echo, Value: b("a||b|"), HasValue: true},
		"echo":          {Verb: Echo},
		"echo|":         {Verb: Echo},
		"echo||":        {Verb: Echo, Value: b("|"), HasValue: true},
		"echo|\r":       {Verb: Echo, Value: b("\r"), HasValue: true},
		"statedump":     {Verb: Statedump},
		"statedump|x":   {Verb: Statedump},
		"exit||":        {Verb: Exit},
		"chdir|/":       {Verb: Chdir, Path: b("/")},
		"chdir|":        {Verb: Chdir, Path: b("")},
		"memory|x":      {Verb: Memory},
		"socket.delete": {Verb: SocketDelete},

		"service.tags|s":            {Verb: ServiceTags, Name: b("s"), Named: true},
		"service.tags|s|":           {Verb: ServiceTags, Name: b("s"), Named: true, HasValue: true},
		"service.args|" + long:      {Verb: ServiceArgs, Name: b(long), Named: true},
		"service.args|s|a||b|":      {Verb: ServiceArgs, Name: b("s"), Named: true, Value: b("a||b|"), HasValue: true},
		"service.fds|..|a||-|_.|":   {Verb: ServiceFDs, Name: b(".."), Named: true, Value: b("a||-|_.|"), HasValue: true},
		"service.fds|s":             {Verb: ServiceFDs, Name: b("s"), Named: true},
		"service.fds|s|":            {Verb: ServiceFDs, Name: b("s"), Named: true, HasValue: true},
		"service.fds|s|" + long:     {Verb: ServiceFDs, Name: b("s"), Named: true, Value: b(long), HasValue: true},
		"service.auto_up|s|-":       {Verb: ServiceAutoUp, Name: b("s"), Named: true, KeepInterval: true},
		"service.auto_up|s|1":       {Verb: ServiceAutoUp, Name: b("s"), Named: true, Interval: 1},
		"service.auto_up|s|1|":      {Verb: ServiceAutoUp, Name: b("s"), Named: true, Interval: 1, HasValue: true},
		"service.auto_up|s|7||BAD":  {Verb: ServiceAutoUp, Name: b("s"), Named: true, Interval: 7, HasValue: true},
		"service.start|s":           {Verb: ServiceStart, Name: b("s"), Named: true},
		"service.start|s|-|x":       {Verb: ServiceStart, Name: b("s"), Named: true, When: Cancel},
		"service.start|s|-5":        {Verb: ServiceStart, Name: b("s"), Named: true, When: At, Time: -5},
		"service.start|s|012":       {Verb: ServiceStart, Name: b("s"), Named: true, When: At, Time: 12},
		"service.signal|s|0":        {Verb: ServiceSignal, Name: b("s"), Named: true},
		"service.signal|s|64|group": {Verb: ServiceSignal, Name: b("s"), Named: true, Signal: 64, Group: true},
		"service.signal|s|SIGTERM|group,group|x": {
			Verb: ServiceSignal, Name: b("s"), Named: true, Signal: 15, Group: true},
		"service.signal|s|IOT": {Verb: ServiceSignal, Name: b("s"), Named: true, Signal: 6},
		"service.delete|-|x":   {Verb: ServiceDelete, Name: b("-"), Named: true},
		"service.auto_up|s|2147483647|always|SIGTERM|INT||BAD|": {
			Verb: ServiceAutoUp, Name: b("s"), Named: true, Interval: MaxInterval,
			Value: b("always|SIGTERM|INT||BAD|"), HasValue: true,
			Triggers: Triggers{Always: true, Mask: 1<<14 | 1<<1}},

		"socket.create||p":                               {Verb: SocketCreate, Mode: 0o600, UID: -1, GID: -1, Path: b("p")},
		"socket.create|-|":                               {Verb: SocketCreate, Mode: 0o600, UID: -1, GID: -1, Path: b("")},
		"socket.create|mode=0|p|x":                       {Verb: SocketCreate, UID: -1, GID: -1, Path: b("p")},
		"socket.create|gid=0|p":                          {Verb: SocketCreate, Mode: 0o600, UID: -1, Path: b("p")},
		"socket.create|gid=4,uid=3,mode=0777,mode=660|p": {Verb: SocketCreate, Mode: 0o660, UID: 3, GID: 4, Path: b("p")},
		"socket.create|uid=4294967294|p":                 {Verb: SocketCreate, Mode: 0o600, UID: int(highID), GID: -1, Path: b("p")},

		"fd.pipe|r|w":            {Verb: FDPipe, Name: b("r"), Peer: b("w")},
		"fd.pipe|r|w||x":         {Verb: FDPipe, Name: b("r"), Peer: b("w")},
		"fd.pipe|r|w|-|x":        {Verb: FDPipe, Name: b("r"), Peer: b("w")},
		"fd.pipe|r|w|,nonblock,": {Verb: FDPipe, Name: b("r"), Peer: b("w"), Socket: SocketFlags{NonBlock: true}},
		"fd.pipe|r|w|unix":       {Verb: FDPipe, Name: b("r"), Peer: b("w"), Socket: SocketFlags{Pair: true}},
		"fd.pipe|r|w|stream":     {Verb: FDPipe, Name: b("r"), Peer: b("w"), Socket: SocketFlags{Pair: true}},
		"fd.pipe|r|w|-,seqpacket": {
			Verb: FDPipe, Name: b("r"), Peer: b("w"), Socket: SocketFlags{Pair: true, Kind: Seqpacket}},

		"fd.open|f||/dev/null":   {Verb: FDOpen, Name: b("f"), Open: OpenRead, Path: b("/dev/null")},
		"fd.open|f|read|":        {Verb: FDOpen, Name: b("f"), Open: OpenRead, Path: b("")},
		"fd.open|f|append|x":     {Verb: FDOpen, Name: b("f"), Open: OpenRead | OpenAppend, Path: b("x")},
		"fd.open|f|,write,,|x y": {Verb: FDOpen, Name: b("f"), Open: OpenWrite, Path: b("x y")},
		"fd.open|f|mkdir,nonblock,trunc,create,append,write,read|x": {
			Verb: FDOpen, Name: b("f"), Open: 127, Path: b("x")},

		"fd.socket|s|":               {Verb: FDSocket, Name: b("s"), Socket: unixStream},
		"fd.socket|s|unix,mkdir":     {Verb: FDSocket, Name: b("s"), Socket: SocketFlags{Mkdir: true}},
		"fd.socket|s|unix|/a":        {Verb: FDSocket, Name: b("s"), Socket: bound, Path: b("/a")},
		"fd.socket|s|bind|/a":        {Verb: FDSocket, Name: b("s"), Socket: bound, Path: b("/a")},
		"fd.socket|s|listen|/a":      {Verb: FDSocket, Name: b("s"), Socket: listening, Listen: 32, Path: b("/a")},
		"fd.socket|s|listen=|/a":     {Verb: FDSocket, Name: b("s"), Socket: listening, Listen: 32, Path: b("/a")},
		"fd.socket|s|listen=1|/a":    {Verb: FDSocket, Name: b("s"), Socket: listening, Listen: 1, Path: b("/a")},
		"fd.socket|s|listen=65535|a": {Verb: FDSocket, Name: b("s"), Socket: listening, Listen: 65535, Path: b("a")},
		"fd.socket|s|,unix=x,stream=|a": {
			Verb: FDSocket, Name: b("s"), Socket: bound, Path: b("a")},
		"fd.socket|s|tcp|127.0.0.1:80": {
			Verb: FDSocket, Name: b("s"), Socket: SocketFlags{Domain: Inet, Bind: true}, Path: b("127.0.0.1:80"),
			Address: Address{Domain: Inet, IP: [16]byte{127, 0, 0, 1}, Port: 80}},
		"fd.socket|s|inet6,udp=1,dgram,nonblock|*": {
			Verb: FDSocket, Name: b("s"), Path: b("*"), Address: Address{Domain: Inet, Any: true},
			Socket: SocketFlags{Domain: Inet, Kind: Dgram, Bind: true, NonBlock: true}},

		"fd.take|x|y":   {Verb: FDTake, Name: b("x")},
		"fd.delete|x|y": {Verb: FDDelete, Name: b("x")},

		"log.filter":             {Verb: LogFilter},
		"log.filter|+":           {Verb: LogFilter, LevelSet: LevelUp},
		"log.filter|-|x":         {Verb: LogFilter, LevelSet: LevelDown},
		"log.filter|none":        {Verb: LogFilter, LevelSet: LevelTo},
		"log.filter|warning":     {Verb: LogFilter, LevelSet: LevelTo, Level: LevelWarning},
		"log.dest|fd|null|x":     {Verb: LogDest, Name: b("null")},
		"conn.event_timeout|0|0": {Verb: ConnEventTimeout},
		"conn.event_timeout|1|2147483647|x": {
			Verb: ConnEventTimeout, Reset: 1, Close: MaxTimeout},
		"signal.clear|CLD|-3|x":                {Verb: SignalClear, Signal: 17, Count: -3},
		"signal.clear|5|999999999999999999999": {Verb: SignalClear, Signal: 5, Count: 1<<63 - 1},

		"terminate.exec_args":      {Verb: TerminateExecArgs},
		"terminate.exec_args|":     {Verb: TerminateExecArgs, HasValue: true},
		"terminate.exec_args|a||b": {Verb: TerminateExecArgs, Value: b("a||b"), HasValue: true},
		"terminate.guard|+|-1|x":   {Verb: TerminateGuard, Plus: true, Code: -1},
		"terminate.guard|-|7":      {Verb: TerminateGuard, Code: 7},
		"terminate|-0":             {Verb: Terminate},
		"terminate|300|":           {Verb: Terminate, Code: 300},
		"terminate|300|x":          {Verb: Terminate, Code: 300},
		"terminate|-1|0|x":         {Verb: Terminate, Code: -1, HasGuard: true},
		"terminate|-99999999999999999999|9": {
			Verb: Terminate, Code: -1 << 63, HasGuard: true, Guard: 9},
	}
	seen := [verbs]bool{Unknown: true}
	for line, want := range tests {
		var got Command
		Parse(tabs(line), &got)
		seen[want.Verb] = true
		if want = command(want); !same(&got, &want) {
			t.Errorf("%s:\n got %+v\nwant %+v", line, got, want)
		}
	}
	for v, ok := range seen {
		if !ok {
			t.Errorf("no line for %s", Verb(v))
		}
	}
}

// same compares commands by what their slices hold.
func same(a, b *Command) bool {
	x, y := *a, *b
	for _, c := range []*Command{&x, &y} {
		for _, s := range []*[]byte{&c.Name, &c.Peer, &c.Value, &c.Path, &c.Err.Arg} {
			if len(*s) == 0 {
				*s = nil
			}
		}
	}
	return reflect.DeepEqual(x, y)
}

func TestParseBad(t *testing.T) {
	const (
		fdConstant = "File descriptor cannot be altered"
		badSocket  = "Invalid options"
	)
	n32 := strings.Repeat("n", 32)
	tests := []struct{ line, text string }{
		{"chdir", "missing path argument"},
		{"chdir|/|x", "unexpected argument after path"},
		{"chdir|/|", "unexpected argument after path"},

		{"service.tags", "Expected service name"},
		{"service.tags|", "Expected service name"},
		{"service.tags||x", "Expected service name"},
		{"service.tags|a b", "Invalid service name"},
		{"service.tags|\xc3\xa9", "Invalid service name"},
		{"service.args|" + n32, "Invalid service name"},
		{"service.fds|s|bad name", "invalid fd name"},
		{"service.fds|s|ok||" + n32, "invalid fd name"},
		{"service.fds|a/b|bad name", "Invalid service name"},

		{"service.auto_up", "Expected service name"},
		{"service.auto_up|s", "Expected integer"},
		{"service.auto_up|s|", "Expected integer"},
		{"service.auto_up|s|x|BAD", "Expected integer"},
		{"service.auto_up|s|+5", "Expected integer"},
		{"service.auto_up|s|--", "Expected integer"},
		{"service.auto_up|s|0|BAD", "invalid interval"},
		{"service.auto_up|s|-1", "invalid interval"},
		{"service.auto_up|s|2147483648", "invalid interval"},
		{"service.auto_up|s|99999999999999999999", "invalid interval"},
		{"service.auto_up|s|1|BAD", "unable to set auto_up triggers"},
		{"service.auto_up|s|-|TERM|15", "unable to set auto_up triggers"},
		{"service.auto_up|s|1|term", "unable to set auto_up triggers"},
		{"service.auto_up|s|1|always ", "unable to set auto_up triggers"},

		{"service.start|s|", "invalid timestamp"},
		{"service.start|s|x", "invalid timestamp"},
		{"service.start|s|5 ", "invalid timestamp"},
		{"service.start|s|--", "invalid timestamp"},

		{"service.signal|s", "Expected signal argument"},
		{"service.signal|s|", "Expected signal argument"},
		{"service.signal|s|65", "Invalid signal number"},
		{"service.signal|s|1x", "Invalid signal number"},
		{"service.signal|s|99999999999999999999", "Invalid signal number"},
		{"service.signal|s|-1", "Invalid signal argument"},
		{"service.signal|s|term", "Invalid signal argument"},
		{"service.signal|s|BOGUS", "Invalid signal argument"},
		{"service.signal|s|SIG", "Invalid signal argument"},
		{"service.signal|s|SIGSIGTERM", "Invalid signal argument"},
		{"service.signal|s|SIG-?", "Invalid signal argument"},
		{"service.signal|s|TERM|", `unknown option ""`},
		{"service.signal|s|TERM|group,x", `unknown option "x"`},
		{"service.signal|s|TERM|group,", `unknown option ""`},
		{"service.signal|s|BAD|x", "Invalid signal argument"},
		{"service.delete", "Expected service name"},

		{"socket.create", "missing argument"},
		{"socket.create|mode=9", "missing argument"},
		{"socket.create|mode=9|p", badSocket},
		{"socket.create|mode=1000|p", badSocket},
		{"socket.create|mode=|p", badSocket},
		{"socket.create|foo=1|p", badSocket},
		{"socket.create|mode=600,|p", badSocket},
		{"socket.create|,|p", badSocket},
		{"socket.create|-,-|p", badSocket},
		{"socket.create|mode|p", badSocket},
		{"socket.create|uid=-1|p", badSocket},
		{"socket.create|gid=4294967295|p", badSocket},
		{"socket.create|gid=root|p", badSocket},

		{"fd.pipe", "Expected file descriptor name"},
		{"fd.pipe||w", "Expected file descriptor name"},
		{"fd.pipe|a b", "Invalid file descriptor name"},
		{"fd.pipe|" + n32 + "|w", "Invalid file descriptor name"},
		{"fd.pipe|null", fdConstant},
		{"fd.pipe|r", "Expected file descriptor name"},
		{"fd.pipe|r|a/b", "Invalid file descriptor name"},
		{"fd.pipe|r|control.event|bad", fdConstant},
		{"fd.pipe|r|r|bad", "read and write names must differ"},
		{"fd.pipe|r|w|bad", `unknown flag "bad"`},
		{"fd.pipe|r|w|unix,nonblock=1", `unknown flag "nonblock=1"`},
		{"fd.pipe|r|w|bind", `unknown flag "bind"`},
		{"fd.pipe|r|w|--", `unknown flag "--"`},
		{"fd.pipe|r|w|UNIX", `unknown flag "UNIX"`},

		{"fd.open", "Expected file descriptor name"},
		{"fd.open|control.cmd", fdConstant},
		{"fd.open|f", "missing flags argument"},
		{"fd.open|f|bad", "missing path argument"},
		{"fd.open|f|bad|p|x", "unexpected argument after path"},
		{"fd.open|f|bad|p|", "unexpected argument after path"},
		{"fd.open|f|read,bad,worse|p", `unknown flag "bad"`},
		{"fd.open|f|-|p", `unknown flag "-"`},
		{"fd.open|f|sync|p", `unknown flag "sync"`},
		{"fd.open|f|truncate|p", `unknown flag "truncate"`},
		{"fd.open|f|read=1|p", `unknown flag "read=1"`},

		{"fd.socket|", "Expected file descriptor name"},
		{"fd.socket|control.socket|x", fdConstant},
		{"fd.socket|s", "missing flags argument"},
		{"fd.socket|s|-", `unknown flag "-"`},
		{"fd.socket|s|=5", `unknown flag "=5"`},
		{"fd.socket|s|bad=5,listen=0|a|b", `unknown flag "bad=5"`},
		{"fd.socket|s|listen=0,bad=5|a|b", "invalid listen queue length"},
		{"fd.socket|s|listen=65536", "invalid listen queue length"},
		{"fd.socket|s|listen=5x", "invalid listen queue length"},
		{"fd.socket|s|listen=-5", "invalid listen queue length"},
		{"fd.socket|s|listen==5", "invalid listen queue length"},
		{"fd.socket|s|bind", "expected address argument"},
		{"fd.socket|s|listen", "expected address argument"},
		{"fd.socket|s|tcp|", "invalid address"},
		{"fd.socket|s|unix|", "invalid address"},
		{"fd.socket|s|unix||x", "invalid address"},
		{"fd.socket|s|unix|" + strings.Repeat("p", 108), "invalid address"},
		{"fd.socket|s|tcp|*:|x", "invalid address"},
		{"fd.socket|s|tcp|*:1|", "unexpected argument after address"},
		{"fd.socket|s|unix|a|x", "unexpected argument after address"},

		{"fd.take", "Expected file descriptor name"},
		{"fd.take|a b", "Invalid file descriptor name"},
		{"fd.take|null", fdConstant},
		{"fd.delete|null", fdConstant},
		{"fd.delete|", "Expected file descriptor name"},

		{"log.filter|", "Invalid loglevel argument"},
		{"log.filter|warn", "Invalid loglevel argument"},
		{"log.filter|INFO", "Invalid loglevel argument"},
		{"log.filter|++", "Invalid loglevel argument"},
		{"log.dest", "missing argument"},
		{"log.dest|", "Unknown logging type"},
		{"log.dest|file|x", "Unknown logging type"},
		{"log.dest|fd", "Expected file descriptor name"},
		{"log.dest|fd|", "Expected file descriptor name"},
		{"log.dest|fd|a b", "Invalid file descriptor name"},
		{"conn.event_timeout", "Expected integer"},
		{"conn.event_timeout|1", "Expected integer"},
		{"conn.event_timeout|-1|x", "Expected integer"},
		{"conn.event_timeout|-1|5", "invalid timeout (must be 0..7FFFFFFF)"},
		{"conn.event_timeout|2147483648|5", "invalid timeout (must be 0..7FFFFFFF)"},
		{"conn.event_timeout|5|2147483648", "invalid timeout (must be 0..7FFFFFFF)"},
		{"conn.event_timeout|5|4", "reset timeout is greater than close timeout"},

		{"signal.clear", "Expected signal argument"},
		{"signal.clear|X|y", "Invalid signal argument"},
		{"signal.clear|TERM", "Expected integer"},
		{"signal.clear|TERM|", "Expected integer"},
		{"terminate.exec_args|" + strings.Repeat("x", 4096), "exec arguments exceed buffer size (4095)"},
		{"terminate.guard", "expected + or -"},
		{"terminate.guard|+-|x", "expected + or -"},
		{"terminate.guard|+", "Expected integer"},
		{"terminate.guard|-|x", "Expected integer"},
		{"terminate.guard|+|-0", "code cannot be 0"},
		{"terminate", "Expected integer"},
		{"terminate|", "Expected integer"},
		{"terminate|x|1", "Expected integer"},

		{"foo|x", "Unknown command: foo"},
		{" foo", "Unknown command:  foo"},
		{"|foo", "Unknown command: "},
		{"Echo", "Unknown command: Echo"},
		{"statedump\r", "Unknown command: statedump\r"},
		{"service", "Unknown command: service"},
	}
	for _, test := range tests {
		line := tabs(test.line)
		var c Command
		Parse(line, &c)
		if got := string(c.Err.Append(nil)); got != test.text {
			t.Errorf("%s: %q, want %q", test.line, got, test.text)
		}
	}
}

// What is Named decides whether "No such service" ranks before Err.
func TestParseNamed(t *testing.T) {
	for line, want := range map[string]bool{
		"service.start|s|x":       true,
		"service.signal|s":        true,
		"service.signal|s|TERM|x": true,
		"service.fds|s|a b":       true,
		"service.auto_up|s|x":     true,
		"service.start|a b|x":     false,
		"service.signal||TERM":    false,
		"fd.open|f|read|x":        false,
		"nope|s":                  false,
	} {
		var c Command
		Parse(tabs(line), &c)
		if c.Named != want {
			t.Errorf("%s: Named is %v", line, c.Named)
		}
	}
}
