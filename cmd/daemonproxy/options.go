package main

import (
	"strings"
	"syscall"

	"daemonproxy/actor/mainthread"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// continuing begins a fatal text that, under a guard, does not end the program.
const continuing = "(attempting to continue) "

// configStdin is the config file's name that stands for descriptor 0.
const configStdin = "-"

const defaultMaxClients = 16

// What process 1 begins with, unless it is an entrypoint.
const (
	pid1Config = "/etc/daemonproxy.conf"
	pid1Guard  = 1
)

// options is what the command line asked for. It is complete and usable even
// when parsing ended early: what was read before the end is in it.
type options struct {
	config      string // "" is none
	socket      string
	hasSocket   bool // as an empty path was given, too, and has to fail later
	interactive bool
	daemonize   bool
	mlockall    bool
	guard       int64  // 0 is none
	execArgs    string // exec-on-exit arguments, separated by TABs; "" is none
	fdPool      poolSize
	servicePool poolSize
	maxClients  int
	filter      protocol.Level

	program     []string // the words after --, with which this is an entrypoint
	grace       int64    // seconds
	signalMap   []remap  // the last one for a signal counts
	signalGroup bool
}

// poolSize is an N[xM] with M filled in and both within bounds.
type poolSize struct {
	set  bool
	n, m int64
}

// background says whether --daemonize is honoured. Where it was given and is
// not, daemonizeIgnored is the warning to log.
func (o *options) background(pid1 bool) bool {
	return o.daemonize && !o.interactive && !pid1 && o.program == nil
}

const daemonizeIgnored = "Ignoring --daemonize (see manual)"

// stop is an end of the program that the command line caused: a fatal error,
// whose text the caller logs (or hands to exec-on-exit), or help and version,
// whose text is empty and which log nothing.
type stop struct {
	code int
	text string
}

// host is what parsing needs of the program around it.
type host interface {
	// log gets the messages that pass the filter in force where they arise.
	log(level protocol.Level, text string)
	// print writes to standard output.
	print(text string)
	// system does an action of --system; it returns only if it was refused.
	system(action string) syscall.Errno
}

// silent is the host of a parse that is repeated aloud later.
type silent struct{}

func (silent) log(protocol.Level, string)  {}
func (silent) print(string)                {}
func (silent) system(string) syscall.Errno { return syscall.ENOSYS }

// wantsBackground parses args without a word, to learn whether the program is
// to run in the background: it must be known before the first message.
func wantsBackground(args []string, pid1 bool) bool {
	o, end := parseOptions(args, pid1, silent{})
	return end == nil && o.background(pid1)
}

// parseOptions carries out args, the words after the program's name, from left
// to right. A stop means that the program is to end. Apart from what it does
// through h it only looks whether the config file exists, so it can be repeated.
func parseOptions(args []string, pid1 bool, h host) (options, *stop) {
	p := parser{
		options: options{maxClients: defaultMaxClients, grace: defaultGrace, filter: protocol.LevelDebug},
		table:   optionTable,
		words:   args,
		pid1:    pid1,
		host:    h,
	}
	if pid1 && !p.entrypoint() {
		p.config, p.guard = pid1Config, pid1Guard
	}
	end := p.parse()
	return p.options, end
}

type parser struct {
	options
	table []option
	words []string // those not yet read
	pid1  bool
	host  host
}

func (p *parser) parse() *stop {
	for len(p.words) > 0 {
		if end := p.word(p.next()); end != nil {
			return end
		}
	}
	if p.config == "" && !p.interactive && !p.hasSocket && p.program == nil {
		return p.fatal(mainthread.ExitBadOptions, "require -i or -c or -S")
	}
	return nil
}

func (p *parser) next() string {
	word := p.words[0]
	p.words = p.words[1:]
	return word
}

func (p *parser) word(word string) *stop {
	if word == "--" {
		return p.setProgram()
	}
	if name, long := strings.CutPrefix(word, "--"); long {
		return p.act(p.long(name), word)
	}
	if len(word) < 2 || word[0] != '-' {
		return p.fatal(mainthread.ExitBadOptions, `Unexpected argument "`+word+`"`)
	}
	for i := 1; i < len(word); i++ {
		if end := p.act(p.short(word[i]), "-"+word[i:i+1]); end != nil {
			return end
		}
	}
	return nil
}

func (p *parser) long(name string) *option {
	for i := range p.table {
		if o := &p.table[i]; o.long != "" && o.long == name {
			return o
		}
	}
	return nil
}

func (p *parser) short(letter byte) *option {
	for i := range p.table {
		if o := &p.table[i]; o.short != 0 && o.short == letter {
			return o
		}
	}
	return nil
}

// act carries out one option, nil if it is unknown, that was written as name.
func (p *parser) act(o *option, name string) *stop {
	if o == nil {
		return p.fatal(mainthread.ExitBadOptions, "Unknown option "+name+"  (see --help)")
	}
	if o.arg == "" {
		return o.act(p, "")
	}
	if len(p.words) == 0 {
		return p.fatal(mainthread.ExitBadOptions, "Missing argument for "+name)
	}
	return o.act(p, p.next())
}

// continues says whether the program outlives a fatal error now.
func (p *parser) continues() bool { return p.guard != 0 && p.execArgs == "" }

// fatal ends the parse, unless the guard says that it goes on.
func (p *parser) fatal(code int, text string) *stop {
	if p.continues() {
		p.log(protocol.LevelFatal, continuing+text)
		return nil
	}
	return &stop{code, text}
}

func (p *parser) log(level protocol.Level, text string) {
	if level > p.filter {
		p.host.log(level, text)
	}
}

// show prints what --help and --version have to say.
func (p *parser) show(text string) *stop {
	p.host.print(text)
	if p.continues() {
		return nil
	}
	return &stop{mainthread.ExitNothingToDo, ""}
}

func (p *parser) setConfig(path string) *stop {
	if path != configStdin {
		var st unix.Stat_t
		if unix.Stat(path, &st) != nil {
			return p.fatal(mainthread.ExitBadOptions, `Cannot stat configfile "`+path+`"`)
		}
	}
	p.config = path
	return nil
}

func (p *parser) setSocket(path string) *stop {
	p.socket, p.hasSocket = path, true
	return nil
}

func (p *parser) setGuard(arg string) *stop {
	if arg == "" {
		p.guard = 0
		return nil
	}
	guard, ok := protocol.ParseInteger([]byte(arg))
	if !ok {
		return p.fatal(mainthread.ExitBadOptions, "Terminate guard must be an integer")
	}
	p.guard = guard
	return nil
}

func (p *parser) setExecArgs(arg string) *stop {
	if len(arg) > protocol.MaxExecArgs {
		return p.fatal(mainthread.ExitBadOptions, "exec-on-exit arguments exceed buffer size")
	}
	p.execArgs = arg
	return nil
}

func (p *parser) setMaxClients(arg string) *stop {
	n, ok := protocol.ParseInteger([]byte(arg))
	if !ok || n < 2 || n > 1024 {
		return p.fatal(mainthread.ExitBadOptions, "Maximum clients must be an integer from 2 to 1024")
	}
	p.maxClients = int(n)
	return nil
}

func (p *parser) doSystem(action string) *stop {
	if _, known := rebootCommand(action); !known {
		return p.fatal(mainthread.ExitBadOptions, "Expected poweroff, reboot or halt")
	}
	if !p.pid1 {
		return p.fatal(mainthread.ExitBadOptions, "--system needs PID 1")
	}
	errno := p.host.system(action)
	return p.fatal(mainthread.ExitEnvironment, "reboot: "+protocol.Strerror(errno))
}

func (p *parser) setFilter(how protocol.LevelSet) *stop {
	p.filter = how.Apply(p.filter, 0)
	return nil
}
