package main

import "daemonproxy/controller/protocol"

// option is one row of the command line: how it is written, what --help says
// of it, and what it does.
type option struct {
	short byte   // 0 is none
	long  string // without the dashes
	arg   string // the argument's name; "" if it takes none
	help  string
	act   func(p *parser, arg string) *stop
}

// arguments is how many of the next words belong to the option, nil if it is
// unknown.
func (o *option) arguments() int {
	if o == nil || o.arg == "" {
		return 0
	}
	return 1
}

// optionTable is in the order of --help.
var optionTable = []option{
	{'c', "config", "FILENAME", "run the commands in the file; - is stdin", (*parser).setConfig},
	{'i', "interactive", "", "take commands from stdin, send events to stdout", func(p *parser, _ string) *stop {
		p.interactive = true
		return nil
	}},
	{'S', "socket", "PATH", "create the control socket", (*parser).setSocket},
	{'D', "daemonize", "", "run in the background, print the daemon's PID", func(p *parser, _ string) *stop {
		p.daemonize = true
		return nil
	}},
	{0, "exit-guard", "INTEGER", "refuse to end without this code; 0 disables", (*parser).setGuard},
	{'E', "exit-exec", "TSV_ARGS", "execute this program (TAB separated words) at exit", (*parser).setExecArgs},
	{0, "fd-pool", "N[xM]", "preallocate N handles with descriptions of M bytes", func(p *parser, arg string) *stop {
		return p.setPool(&p.fdPool, arg, &fdPoolBounds)
	}},
	{0, "service-pool", "N[xM]", "preallocate N services of M bytes", func(p *parser, arg string) *stop {
		return p.setPool(&p.servicePool, arg, &servicePoolBounds)
	}},
	{0, "max-clients", "N", "number of controllers, 2 to 1024 (default 16)", (*parser).setMaxClients},
	{0, "grace", "SECONDS", "entrypoint: wait so long before SIGKILL (default 10)", (*parser).setGrace},
	{0, "signal-map", "FROM=TO", "entrypoint: forward TO in place of FROM; - is nothing", (*parser).addSignalMap},
	{0, "signal-group", "", "entrypoint: forward to the whole process group", (*parser).setSignalGroup},
	{0, "system", "ACTION", "as process 1: poweroff, reboot or halt the machine", (*parser).doSystem},
	{'M', "mlockall", "", "lock memory", func(p *parser, _ string) *stop {
		p.mlockall = true
		return nil
	}},
	{'v', "verbose", "", "log more, one level for each -v", func(p *parser, _ string) *stop {
		return p.setFilter(protocol.LevelDown)
	}},
	{'q', "quiet", "", "log less, one level for each -q", func(p *parser, _ string) *stop {
		return p.setFilter(protocol.LevelUp)
	}},
	{'h', "help", "", "show this help", func(p *parser, _ string) *stop {
		return p.show(helpText(p.table))
	}},
	{0, "version", "", "show version, build and licence", func(p *parser, _ string) *stop {
		return p.show(versionText())
	}},
}
