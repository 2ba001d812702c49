package integration

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// The promise that what passes through daemonproxy arrives as it was: environment and arguments, byte by byte.

// everyByte is all bytes that a C string can hold.
func everyByte() string {
	var b []byte
	for c := 1; c < 256; c++ {
		b = append(b, byte(c))
	}
	return string(b)
}

// strangeEnvironment is one that no shell would make.
func strangeEnvironment() []string {
	return []string{
		"DP_BYTES=" + everyByte(), everyByte() + "=" + everyByte(), "DP_TWICE=1", "DP_TWICE=2", "DP_EMPTY=", "=no name", "no value", "",
		"DP_LONG=" + strings.Repeat("long ", 20000),
	}
}

// ofProcess is a file of /proc whose strings end in NUL. It is empty for a moment after the process has let go of its
// parent's memory, which is when its parent goes on.
func (d *daemon) ofProcess(pid int, file string) []string {
	d.t.Helper()
	var text []byte
	d.eventually("the strings of the process", func() bool {
		var err error
		if text, err = os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file)); err != nil {
			d.t.Fatal(err)
		}
		return len(text) > 0
	})
	return strings.Split(string(bytes.TrimSuffix(text, []byte{0})), "\x00")
}

func TestEnvironmentIsPassedOn(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"service": {"-i"}, "pools": {"-i", "--service-pool", "5", "--fd-pool", "20"},
	} {
		d := setup{args: args, env: strangeEnvironment()}.start(t)
		d.i.send("service.args⇥s⇥{helper hang}", "service.start⇥s")
		d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=s}⇥-⇥-⇥0⇥-")
		given := d.ofProcess(d.pid, "environ")
		if got := d.ofProcess(d.num("s"), "environ"); !slices.Equal(got, given) {
			t.Errorf("%s: of %d variables it has %d: %.2000q", name, len(given), len(got), got)
		}
		for _, variable := range strangeEnvironment() {
			if !slices.Contains(given, variable) {
				t.Errorf("%s: the daemon itself was not given %.100q", name, variable)
			}
		}
	}
}

// TestServicesGetTheirArguments: all bytes but TAB and LF, which are the protocol's, as a field of their own and one by one.
func TestServicesGetTheirArguments(t *testing.T) {
	t.Parallel()
	bytes := strings.NewReplacer("\t", "", "\n", "").Replace(everyByte())
	words := append(strings.Split(helperArgs("hang"), "\t"), bytes, "", " ", bytes+bytes, "-")
	for c := range 256 {
		if c != 0 && c != '\t' && c != '\n' {
			words = append(words, string([]byte{byte(c)}))
		}
	}
	for name, args := range map[string][]string{
		"service": {"-i"}, "pools": {"-i", "--service-pool", "5x4096", "--fd-pool", "20"},
	} {
		d := setup{args: args}.start(t)
		line := "service.args\ts\t" + strings.Join(append(words, ""), "\t") // the last one is empty
		d.i.raw(line + "\nservice.start\ts\n")
		d.i.exactly(line)
		d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=s}⇥-⇥-⇥0⇥-")
		if got := d.ofProcess(d.num("s"), "cmdline"); !slices.Equal(got, append(words, "")) {
			t.Errorf("%s: it has the words %.1000q", name, got)
		}
	}
}

// TestEntrypointPassesEverythingOn: words and environment, which need not be lines of the protocol.
func TestEntrypointPassesEverythingOn(t *testing.T) {
	t.Parallel()
	helperArgs("hang")
	bytes := strings.NewReplacer("{", "", "}", "").Replace(everyByte()) // which the test itself would expand
	words := []string{selfBinary, "helper", "hang", bytes, "", "\t", "\n", "-i", "--", strings.Repeat("w", 100000)}
	d := setup{args: append([]string{"-S", "{dir}/ctl", "--"}, words...), env: strangeEnvironment()}.start(t)
	c := d.client("c")
	var state []string // of main, which may have been up before c came
	d.eventually("main is up", func() bool {
		state = c.services()["main"]
		return len(state) > 4 && state[2] == "up"
	})
	d.set("main", state[4])
	if got := d.ofProcess(d.num("main"), "cmdline"); !slices.Equal(got, words) {
		t.Errorf("it has the words %.1000q", got)
	}
	if got, given := d.ofProcess(d.num("main"), "environ"), d.ofProcess(d.pid, "environ"); !slices.Equal(got, given) {
		t.Errorf("of %d variables it has %d", len(given), len(got))
	}
}

// TestExecOnExitGetsItsArguments: all bytes but TAB, which separates them, also by way of a command.
func TestExecOnExitGetsItsArguments(t *testing.T) {
	t.Parallel()
	data := strings.NewReplacer("\t", "", "\n", "", "{", "", "}", "").Replace(everyByte())
	for _, how := range []string{"option", "command"} {
		s := setup{args: []string{"-i"}, env: strangeEnvironment()}
		arguments := helperArgs("args") + "\t" + data + "\t\t "
		if how == "option" {
			s.args = append(s.args, "-E", arguments)
		}
		d := s.start(t)
		if how == "command" {
			d.i.raw("terminate.exec_args\t" + arguments + "\n")
		}
		d.i.send("terminate⇥0")
		d.i.exactly("3")
		d.i.exactly(fmt.Sprintf("%q", data))
		d.i.exactly(`""`)
		d.i.exactly(`" "`)
		d.expectExit(0)
	}
}
