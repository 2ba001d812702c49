package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"daemonproxy/controller/config"
)

// check reads a config in which '|' stands for TAB and gives "LINE: TEXT" for each mistake.
func check(t *testing.T, text string) string {
	t.Helper()
	problems, err := config.Check(strings.NewReader(strings.ReplaceAll(text, "|", "\t")))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "%d: %s\n", p.Line, p.Text)
	}
	return b.String()
}

// Each mistake is found once, in its line, in words that say what to do.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"spaces for all TABs", "service.args web /bin/web\n",
			"1: Unknown command: service.args web /bin/web; fields are separated by single TABs, and here are spaces\n"},
		{"spaces for the first TAB", "service.args web|/bin/web\n",
			"1: Unknown command: service.args web; fields are separated by single TABs, and here are spaces\n"},
		{"spaces for the second TAB", "service.args|web /bin/web\n",
			"1: Invalid service name: \"web /bin/web\"; fields are separated by single TABs, and here are spaces\n"},
		{"spaces in fds", "service.args|w|x\nservice.fds|w|null  stdout\n",
			"2: invalid fd name: \"null  stdout\"; fields are separated by single TABs, and here are spaces\n"},
		{"spaces after a trigger", "service.args|w|x\nservice.auto_up|w|1|always \n",
			"2: unable to set auto_up triggers: \"always \"; fields are separated by single TABs, and here are spaces\n"},
		{"spaces for a TAB before an integer", "service.args|w|x\nservice.auto_up|w|1 always\n",
			"2: Expected integer; fields are separated by single TABs, and here are spaces\n"},
		{"spaces between arguments", "service.args|w|/bin/sh -c|x\nservice.args|w|sleep 9\n",
			"1: the program of service \"w\" is \"/bin/sh -c\"; fields are separated by single TABs, and here are spaces\n" +
				"2: the program of service \"w\" is \"sleep 9\"; fields are separated by single TABs, and here are spaces\n"},
		{"spaces before a path", "service.args|w|cat /x/y\n",
			"1: the program of service \"w\" is \"cat /x/y\"; fields are separated by single TABs, and here are spaces\n"},
		{"spaces in a program's directory are good", "service.args|w|/opt/My App/run|a b\n", ""},
		{"spaces in a path are good", "fd.open|x|read|/a path\nchdir|/a b\n", ""},
		{"a line that is indented", " echo|x\n", "1: Unknown command:  echo; the line begins with a space\n"},
		{"a line that begins with a TAB", "|echo\n", "1: Unknown command: ; the line begins with a TAB\n"},
		{"upper case", "Echo|x\n", "1: Unknown command: Echo; commands are in lower case\n"},
		{"no such command", "service.arg|x\n", "1: Unknown command: service.arg\n"},
		{"two TABs", "service.args||web|x\n", "1: Expected service name; two TABs in a row make an empty field\n"},
		{"no name", "service.args\n", "1: Expected service name\n"},

		{"a name too long", "service.args|" + strings.Repeat("n", 32) + "|x\n",
			"1: Invalid service name: \"" + strings.Repeat("n", 32) + "\" has 32 bytes, and may have 31\n"},
		{"a longest name", "service.args|" + strings.Repeat("n", 31) + "|x\n", ""},
		{"a name of other letters", "service.args|wéb|x\n", "1: Invalid service name: \"wéb\" may have only letters, digits and . _ -\n"},
		{"a handle's name too long", "fd.pipe|a|" + strings.Repeat("n", 40) + "\n",
			"1: Invalid file descriptor name: \"" + strings.Repeat("n", 40) + "\" has 40 bytes, and may have 31\n"},
		{"a constant", "fd.pipe|a|null\n", "1: File descriptor cannot be altered: \"null\"\n"},

		{"a service without args", "# c\nservice.tags|a|t\nservice.fds|a\n", "2: no args configured for service \"a\"\n"},
		{"a start without args", "service.fds|a|null\nservice.start|a\n", "2: no args configured for service \"a\", which starts here\n"},
		{"an automatic start without args", "service.auto_up|a|1|always\nservice.args|a|x\n",
			"1: no args configured for service \"a\", which starts here\n"},
		{"a start by signal, args later", "service.auto_up|a|1|SIGHUP\nservice.args|a|x\n", ""},
		{"a later start without args", "service.fds|a|null\nservice.start|a|99\n", "2: no args configured for service \"a\"\n"},
		{"an empty program", "service.args|a|\n", "1: no args configured for service \"a\"\n"},
		{"args taken away", "service.args|a|x\nservice.args|a\n", "1: no args configured for service \"a\"\n"},
		{"an unknown service", "service.start|a\nservice.signal|a|HUP\nservice.delete|a\n",
			"1: No such service: \"a\"\n2: No such service: \"a\"\n3: No such service: \"a\"\n"},
		{"a deleted service", "service.args|a|x\nservice.delete|a\nservice.start|a\n", "3: No such service: \"a\"\n"},
		{"the entrypoint's service", "service.auto_up|main|1|always\nservice.signal|main|HUP\n", ""},

		{"an unknown handle", "service.args|a|x\nservice.fds|a|null|log|-\n", "2: fd \"log\" is not defined\n"},
		{"a handle made too late", "service.args|a|x\nservice.fds|a|l.r\nservice.start|a\nfd.pipe|l.r|l.w\n",
			"3: service \"a\" starts here, but its descriptor \"l.r\" does not exist yet\n"},
		{"a start that lacks everything", "service.fds|a|nix\nservice.auto_up|a|1|always\nservice.fds|a|nox\n",
			"2: no args configured for service \"a\", which starts here\n" +
				"2: service \"a\" starts here, but its descriptor \"nix\" does not exist yet\n3: fd \"nox\" is not defined\n"},
		{"a handle made in time", "service.args|a|x\nservice.fds|a|l.r\nfd.pipe|l.r|l.w\nservice.start|a\n", ""},
		{"a deleted handle", "fd.pipe|r|w\nservice.args|a|x\nservice.fds|a|r\nfd.delete|r\n",
			"3: fd \"r\" is not defined any more (it was, in line 1)\n"},
		{"deleting what is not there", "fd.delete|r\nfd.delete|stdin\nfd.delete|fd_7\n", "1: No such file descriptor: \"r\"\n"},
		{"inherited handles", "service.args|a|x\nservice.fds|a|stdin|fd_3|fd_1500|control.cmd\n", ""},
		{"what is no inherited handle", "service.args|a|x\nservice.fds|a|fd_2|fd_x\n",
			"2: fd \"fd_2\" is not defined\n2: fd \"fd_x\" is not defined\n"},
		{"an empty field in fds", "service.args|a|x\nservice.fds|a|null||stdout\n",
			"2: an empty field among the descriptors: it is skipped, and takes no number (- leaves a number closed)\n"},
		{"a log without a handle", "log.dest|fd|logfile\n", "1: fd \"logfile\" is not defined\n"},
		{"a log with a handle", "log.dest|fd|logfile\nfd.open|logfile|append,create|/x\n", ""},
		{"fd.take", "fd.take|a\n", "1: No ancillary file descriptor received: a config passes none\n"},
		{"a pair of no use", "fd.pipe|a|b|tcp\n", "1: socketpair() failed: Operation not supported; only unix makes pairs\n"},
		{"a pair", "fd.pipe|a|b|unix,nonblock\n", ""},
		{"an empty path", "fd.open|a|read|\n", "1: open failed: No such file or directory; the path is empty\n"},
		{"a flag", "fd.open|a|sync|/x\n", "1: unknown flag \"sync\"\n"},
		{"a socket path too long", "socket.create|-|/" + strings.Repeat("p", 107) + "\n",
			"1: Failed to create control socket: its path has 108 bytes, and may have 1 to 107\n"},

		{"a trigger that is none", "service.args|a|x\nservice.auto_up|a|1|SIGHUP|allways\n",
			"2: unable to set auto_up triggers: \"allways\" is neither always nor a signal's name\n"},
		{"a trigger that never comes", "service.args|a|x\nservice.auto_up|a|1|KILL\n",
			"2: \"KILL\" is no signal that daemonproxy counts, so it never starts anything\n"},
		{"triggers after an empty one", "service.args|a|x\nservice.auto_up|a|1|HUP||always\n",
			"2: what follows an empty field is no trigger; two TABs in a row make an empty field\n"},
		{"an interval", "service.args|a|x\nservice.auto_up|a|0|always\n", "2: invalid interval\n"},

		{"the longest line", "echo|" + strings.Repeat("x", 4090) + "\n", ""},
		{"a line too long", "echo|" + strings.Repeat("x", 4091) + "\necho\n", "1: line too long: it has 4096 bytes, and may have 4095\n"},
		{"a long comment", "#" + strings.Repeat("x", 9000) + "\n", ""},
		{"NUL", "echo|a\x00b\n", "1: line contains NUL\n"},
		{"lines of DOS", "service.args|a|x\r\nservice.start|b\r\n\r\n",
			"1: the line ends in CR, which is part of its last field; lines end in LF alone\n" +
				"2: the line ends in CR, which is part of its last field; lines end in LF alone\n2: No such service: \"b\"\n"},
		{"no last LF", "echo|a\necho|b", "2: the last line has no LF at its end; daemonproxy warns of that\n"},
		{"what exit hides", "exit\nwhatever", ""},
		{"nothing", "", ""},
		{"silence", "# a\n\n  \t \r\n#\x00\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := check(t, c.text); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// A mistake does not hide those after it, and all come in the order of the lines.
func TestAllMistakesInOrder(t *testing.T) {
	got := check(t, "service.fds|late|x\nnix\nservice.args|late|x\nnix\n")
	if want := "1: fd \"x\" is not defined\n2: Unknown command: nix\n4: Unknown command: nix\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestReaderError(t *testing.T) {
	broken := errors.New("broken")
	if _, err := config.Check(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("service.args\tweb\t/bin/web\nservice.fds\tweb\tnull\t\t-\nservice.auto_up\tweb\t1\tKILL\t\talways\nexit"))
	f.Add([]byte("fd.pipe\ta\tb\ttcp\r\nlog.dest\tfd\tb\nservice.start\tx\t-"))
	f.Fuzz(func(t *testing.T, text []byte) {
		problems, err := config.Check(strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		lines, last := strings.Count(string(text), "\n")+1, 1
		for _, p := range problems {
			if p.Line < last || p.Line > lines || p.Text == "" {
				t.Fatalf("%+v after line %d of %d", p, last, lines)
			}
			last = p.Line
		}
	})
}
