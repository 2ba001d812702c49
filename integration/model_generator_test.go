package integration

import (
	"strconv"
	"strings"

	"daemonproxy/integration/model"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

var (
	serviceNames = []string{"s0", "s1", "s2", "S3", "s.4", "-"}
	handleNames  = []string{"h0", "h1", "h2", "H3", "h-4", "h_5"}
)

// generator invents commands, most of them right.
type generator struct {
	r                 *rapid.T
	m                 *model.Model
	dir               string
	services, handles []string
	withoutHandles    bool            // those are somebody else's
	touched           map[string]bool // services whose programs and triggers this burst has changed
}

func (g generator) pick(from ...string) string { return rapid.SampledFrom(from).Draw(g.r, "part") }

func (g generator) service() string {
	if len(g.services) == 0 || rapid.IntRange(0, 30).Draw(g.r, "odd") == 30 {
		return g.pick("", "a b", "no/name", strings.Repeat("x", 32), "s\r")
	}
	return g.pick(g.services...)
}

func (g generator) handle() string {
	if rapid.IntRange(0, 20).Draw(g.r, "odd") == 20 {
		return g.pick("", "null", "control.cmd", "a b", strings.Repeat("x", 32), "stdin", "-")
	}
	return g.pick(g.handles...)
}

// program is one of those that the model knows, most often one that stays.
func (g generator) program() string {
	return g.pick("/bin/sleep\t1000", "/bin/sleep\t1000", "/bin/true", "true", "/bin/sh\t-c\texit 300", "/bin/sh\t-c\tkill -9 $$",
		"/bin/sh\t-c\tkill -34 $$", "/nonexistent", "/etc/passwd\tnot executable", "", "\tan argument")
}

// peaceful is a command that others may send at the same time, each about services of its own.
func (g generator) peaceful() sent {
	switch n := rapid.IntRange(0, 9).Draw(g.r, "command"); {
	case n < 7 || g.withoutHandles:
		return sent{line: g.tame(g.aboutService())}
	case n < 9:
		return g.aboutHandle()
	}
	return sent{line: g.odd()}
}

func (g generator) command() sent {
	switch n := rapid.IntRange(0, 24).Draw(g.r, "command"); {
	case n < 11:
		return sent{line: g.tame(g.aboutService())}
	case n < 18:
		return g.aboutHandle()
	case n < 20:
		return sent{line: g.odd()}
	case n < 21:
		return sent{line: g.aboutSocket()}
	}
	return sent{line: g.other()}
}

// tame keeps a program that ends at once from being started again at once, without end: it would flood everybody.
func (g generator) tame(line string) string {
	f := strings.Split(line, "\t")
	if len(f) < 2 {
		return line
	}
	name := f[1]
	switch {
	case f[0] == "service.auto_up" && len(f) > 3 && f[2] == "-" && (g.touched[name] || !g.m.Stays(name)):
		f[2] = "1000"
	case (f[0] == "service.args" || f[0] == "service.fds") && (g.touched[name] || g.m.Hasty(name)):
		return "service.start\t" + name
	}
	if f[0] == "service.auto_up" || f[0] == "service.args" || f[0] == "service.fds" {
		g.touched[name] = true
	}
	return strings.Join(f, "\t")
}

func (g generator) aboutService() string {
	s := g.service()
	switch rapid.IntRange(0, 12).Draw(g.r, "service command") {
	case 0:
		return "service.args\t" + s + "\t" + g.program()
	case 1, 2, 3:
		return "service.start\t" + s + g.pick("", "", "", "\t-", "\t"+strconv.FormatInt(monotonicSecond(), 10),
			"\t"+strconv.FormatInt(monotonicSecond()+100000, 10), "\t"+strconv.FormatInt(monotonicSecond()+1, 10), "\t0", "\tx", "\t", "\t-5")
	case 4, 5:
		return "service.signal\t" + s + g.pick("\tKILL", "\tSIGTERM", "\t34", "\t0", "\tSTOP", "\tCONT", "\tUSR1\t", "\tWINCH",
			"\tKILL\tgroup", "\tTERM\tgroup,group", "\tTERM\tbogus", "", "\t", "\tterm", "\t65", "\t9x", "\tHUP\tgroup\tx")
	case 6, 7:
		return "service.auto_up\t" + s + g.pick("\t-", "\t1000\talways", "\t-\tUSR1", "\t1000\tHUP\tSIGUSR1", "\t-\talways", "\t1\talways",
			"\t7\tTERM\t\tunchecked", "\t5", "\t5\t\talways", "", "\t0\talways", "\t2147483648", "\t5\tbogus", "\t5\t10", "\t+5\talways")
	case 8:
		return "service.delete\t" + s
	case 9:
		if g.withoutHandles {
			return "service.fds\t" + s + g.pick("", "\tnull\tnull\tnull", "\t-\tnull", "\tbad name")
		}
		return "service.fds\t" + s + g.pick("", "\t", "\tnull\tnull\tnull", "\t-\tnull", "\tbad name", "\tnull\tcontrol.socket",
			"\tcontrol.event\tnull", "\t"+g.handle()+"\t-\t"+g.handle(), "\tnull\t"+g.handle(), "\tnull\t"+g.handle()+"\t\tnull", "\tnull\t"+strings.Repeat("x", 32))
	case 10:
		return "service.tags\t" + s + g.pick("", "\t", "\ta\tb\t", "\t"+strings.Repeat("t", 80), "\t"+strings.Repeat("long ", 500))
	default:
		return "service." + g.pick("tags", "args", "fds", "auto_up", "start", "signal", "delete", "tag") + "\t" + s
	}
}

func (g generator) aboutHandle() sent {
	h := g.handle()
	switch rapid.IntRange(0, 9).Draw(g.r, "handle command") {
	case 0, 1, 2:
		return sent{line: "fd.pipe\t" + h + "\t" + g.handle() + g.pick("", "", "", "\tnonblock", "\tunix", "\tunix,dgram,seqpacket", "\t-,nonblock,,stream",
			"\tinet", "\tudp,unix", "\tbogus", "\tnonblock,listen")}
	case 3, 4:
		return sent{line: "fd.open\t" + h + g.pick("\tread", "\twrite,create", "\twrite,read,,append,create,trunc", "\t", "\tnonblock",
			"\twrite,create,mkdir", "\ttrunc", "\tbogus", "\t-", "\tcreate") + g.path()}
	case 5, 6:
		return sent{line: "fd.socket\t" + h + g.pick("\tunix"+g.path(), "\tunix,dgram"+g.path(), "\ttcp,listen=5\t127.0.0.1:0", "\tudp,nonblock\t*",
			"\tunix", "\tinet6,stream\t[::1]:0", "\tudp,unix,listen=4"+g.path(), "\tmkdir,seqpacket,bind"+g.path(), "\ttcp\t127.0.0.1:99999",
			"\tlisten", "\tlisten=0", "\tlisten=5x", "\ttcp\t*:", "", "\tbogus", "\tbind=7", "\tstream=x,listen="+g.path(), "\tudp\t*:0\tx",
			"\tinet,listen,dgram\t127.0.0.1", "\tinet6\t127.0.0.1:0", "\ttcp\t256.0.0.1")}
	case 7:
		return sent{line: "fd.delete\t" + h}
	case 8:
		pass := make([]passed, rapid.IntRange(0, 3).Draw(g.r, "descriptors"))
		for i := range pass {
			pass[i] = rapid.SampledFrom(passable).Draw(g.r, "descriptor")
		}
		if len(pass) == 0 {
			pass = nil
		}
		return sent{line: g.pick("fd.take\t"+h, "fd.take\t"+h, "echo\tpassed", "fd.take"), pass: pass}
	default:
		return sent{line: "fd." + g.pick("pipe", "open", "socket", "take", "delete") + g.pick("", "\t"+h, "\t"+h+"\tread")}
	}
}

// path is a field that names a file.
func (g generator) path() string {
	return "\t" + g.pick("/dev/null", g.dir+"/a", g.dir+"/b", g.dir+"/sub/x", "relative", "sub/x", g.dir, g.dir+"/a/x", g.dir+"/made/on/the/way",
		g.dir+"/no/such", "", g.dir+"/"+strings.Repeat("n", 300), g.dir+"/ctl", g.dir+"/"+strings.Repeat("p", 60), g.dir+"/b\textra")
}

func (g generator) aboutSocket() string {
	return g.pick("socket.delete", "socket.create"+g.pick("\t-", "\t", "\tmode=0660", "\tmode=600,uid=0,gid=0", "\tmode=8", "\tmode=1000", "\tmode=600,", "\tuid=x", "\tgid=4294967295")+
		g.pick("\t"+g.dir+"/ctl", "\t"+g.dir+"/other", "\tctl2", "\t"+g.dir+"/a", "\t/dev/null", "\t"+g.dir+"/no/ctl", "\t", "", "\t"+g.dir+"/"+strings.Repeat("s", 107)))
}

func (g generator) other() string {
	switch rapid.IntRange(0, 8).Draw(g.r, "other command") {
	case 0, 1:
		return "statedump" + g.pick("", "\tignored")
	case 2:
		return "chdir" + g.pick("\t"+g.dir, "\t"+g.dir+"/sub", "\tsub", "\t/dev/null", "\t", "", "\t"+g.dir+"\tx", "\t"+g.dir+"/no")
	case 3:
		signal := g.pick("USR1", "HUP", "TERM", "USR2", "11", "65", "bogus", "")
		count := g.pick("\t1", "\t100", "\t0", "\t-2", "\tx", "")
		if count == "\t-2" && !g.m.Counted(signal) {
			count = "\t2" // whether a service is to start by that is left open
		}
		return "signal.clear\t" + signal + count
	case 4:
		return "log.filter" + g.pick("", "\terror", "\tfatal", "\t+", "\twarn", "\t", "\tERROR")
	case 5:
		return "log.dest" + g.pick("\tfd\t"+g.handle(), "\tfd\tnull", "\tfd\tstderr", "\tfile\tx", "", "\tfd", "\tfd\tcontrol.cmd")
	case 6:
		return "conn.event_timeout" + g.pick("\t10\t20", "\t20\t10", "\tx\t1", "\t1", "\t-1\t5", "\t0\t2147483648", "\t7\t7\tx")
	case 7:
		return "terminate" + g.pick(".guard\t+\t7", ".guard\t-\t7", ".guard\t-\t8", ".guard\t+\t0", ".guard\t5", ".guard\t+\tx", ".exec_args\t/bin/true", ".exec_args",
			"", "\tx", "\t0\t7", "\t0\t8", "\t0", "\t3\tx")
	default:
		return g.pick("exit", "memory", "exit\tignored")
	}
}

// odd is anything but a command.
func (g generator) odd() string {
	return g.pick("echo\thello", "echo\ta\t\tb\t", "echo", "echo\t", "echo\t\t", " ", "# comment", "  \t\r", "bogus", "\techo\tx", " #x", "Echo\tx", "statedump\r",
		"echo\tcr\r", "nul\x00", "#\x00", strings.Repeat("x", 4096), "#"+strings.Repeat("x", 5000), strings.Repeat(" ", 4095), "echo\t"+strings.Repeat("e", 4090),
		strings.Repeat("u", 4095), "service.delete\tabcdefghijklm", "service.delete\tabcdefghijklmn", "service.delete\tabcdefghijklmno")
}

// passed is a kind of descriptor to pass.
type passed struct {
	shown string
	make  func() (int, error)
}

func (p passed) open(t *talker) int {
	fd, err := p.make()
	if err != nil {
		t.t.Fatal(err)
	}
	return fd
}

var passable = []passed{
	{"file\tread", func() (int, error) { return unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0) }},
	{"file\twrite", func() (int, error) { return unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0) }},
	{"file\tread,write", func() (int, error) { return unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0) }},
	{"socket\tunix,seqpacket", func() (int, error) { return unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0) }},
	{"socket\tinet,dgram", func() (int, error) { return unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0) }},
}
