package integration

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Sizes beyond all bounds.
func TestPoolSizes(t *testing.T) {
	t.Parallel()
	const malformed = "fatal: Expected 'N' or 'NxM' where N and M are integers and M has an optional size suffix"
	for _, c := range []struct {
		option, size string
		want         []string
	}{
		{"--service-pool", "", []string{malformed}},
		{"--service-pool", "x", []string{malformed}},
		{"--service-pool", "8y512", []string{malformed}},
		{"--service-pool", "8x512q", []string{malformed}},
		{"--service-pool", "8x512 ", []string{malformed}},
		{"--fd-pool", "1.5", []string{malformed}},
		{"--fd-pool", "-", []string{malformed}},
		{"--service-pool", "0", []string{"warning: At least 1 service objects required; using minimum"}},
		{"--service-pool", "-5x-5", []string{"warning: At least 1 service objects required; using minimum",
			"warning: servce obj size increased to minimum of 64"}},
		{"--service-pool", "99999999999999999999999", []string{"warning: service pool size exceeds maximum; limiting to 65535"}},
		{"--service-pool", "2x0", []string{"warning: servce obj size increased to minimum of 64"}},
		{"--fd-pool", "0x0", []string{"warning: At least 7 fd objects required; using minimum",
			"warning: fd obj size increased to minimum of 32"}},
		{"--fd-pool", "99999999999999999999999x9t", []string{
			"warning: fd pool size exceeds max number of allowed file descriptors; limiting to 1024",
			"warning: fd obj size limited to maximum of 4096"}},
	} {
		_, log, code := run(t, c.option, c.size, "--version")
		want := 1
		if c.want[0] == malformed {
			want = 2
		}
		if code != want || !slices.Equal(log, c.want) {
			t.Errorf("%s %q: exit %d, log %q", c.option, c.size, code, log)
		}
	}
}

// What the system refuses is reported, not thrown.
func TestPoolsThatDoNotFit(t *testing.T) {
	t.Parallel()
	little := strings.Split(helperArgs("little_memory")+"\t1400000000", "\t")
	for _, c := range []struct {
		wrap    []string
		options []string
		fatal   string
	}{
		{nil, []string{"--service-pool", "65535x1g"}, "service"},
		{nil, []string{"--service-pool", "1x9t"}, "service"},
		{nil, []string{"--service-pool", "65535x9t", "--fd-pool", "1024x4096"}, "service"},
		{little, []string{"--service-pool", "65535"}, "service"},
		{little, []string{"--service-pool", "65535", "--fd-pool", "1024"}, "service"},
		{little, []string{"--service-pool", "64x20m"}, "service"},
		{little, []string{"--service-pool", "1000", "--fd-pool", "1000"}, ""},
	} {
		if raceBuild && c.wrap != nil {
			continue // that is too little for the race detector itself
		}
		_, log, code := setup{args: append(c.options, "-i", "-q"), wrap: c.wrap}.run(t)
		switch {
		case c.fatal == "" && code != 0:
			t.Errorf("%v: exit %d, log %q", c.options, code, log)
		case c.fatal != "" && (code != 3 || log[len(log)-1] != "fatal: Unable to preallocate "+c.fatal+" objects"):
			t.Errorf("%v: exit %d, log %q", c.options, code, log)
		}
	}
}

// One more than there is room for, of services, bytes of a service, and handles.
func TestPoolsThatAreFull(t *testing.T) {
	t.Parallel()
	const service = 100 // bytes
	d := start(t, "-i", "--service-pool", fmt.Sprintf("2x%d", service), "--fd-pool", "9")
	fits := strings.Repeat("a", service-len("args")-2)
	d.i.send("service.args⇥a⇥"+fits+"x", "service.args⇥a⇥"+fits)
	d.i.expect("error⇥unable to set argv, for command {any}", "service.args⇥a⇥"+fits)
	d.i.send("service.args⇥a⇥"+fits+"x", "service.tags⇥a⇥", "service.fds⇥a⇥null", "service.auto_up⇥a⇥1⇥always")
	d.i.expect("error⇥unable to set argv, for command {any}", "error⇥unable to set tags, for command {any}",
		"error⇥unable to set{any} for command {any}", "error⇥unable to set auto_up triggers, for command {any}")
	if got := d.i.ask("statedump"); !slices.Contains(got, "service.args\ta\t"+fits) || !slices.Contains(got, "service.tags\ta\t") {
		t.Errorf("stored values have changed: %q", got)
	}
	d.i.send("service.tags⇥b⇥1", "service.tags⇥c⇥1", "service.args⇥c⇥1", "service.auto_up⇥c⇥1⇥always")
	d.i.expect("service.tags⇥b⇥1", "error⇥Unable to allocate new service, for command {any}",
		"error⇥Unable to allocate new service, for command {any}", "error⇥Unable to allocate new service, for command {any}")
	d.i.send("service.delete⇥a", "service.tags⇥c⇥1")
	d.i.expect("service.state⇥a⇥deleted⇥{any}", "service.tags⇥c⇥1")

	d.i.send("fd.pipe⇥r⇥w", "fd.open⇥f⇥read⇥/dev/null", "fd.pipe⇥x⇥y", "fd.socket⇥s⇥inet,stream")
	d.i.expect("fd.state⇥r⇥pipe⇥from⇥w", "fd.state⇥w⇥pipe⇥to⇥r", "error⇥{any}", "error⇥failed to create pipe{any}", "error⇥{any}")
	d.i.send("fd.delete⇥r", "fd.open⇥f⇥read⇥/dev/null", "fd.socket⇥f⇥inet,stream")
	d.i.expect("fd.state⇥r⇥deleted", "fd.state⇥w⇥pipe⇥to⇥?", "fd.state⇥f⇥file⇥read⇥/dev/null", "fd.state⇥f⇥socket⇥inet,stream⇥")
	d.i.sync()
}

// Fifty starts while the system lets this user have no further process: each is put off by three seconds, and none
// is lost.
func TestNoMoreProcesses(t *testing.T) {
	t.Parallel()
	for _, pools := range [][]string{nil, {"--service-pool", "60", "--fd-pool", "10"}} {
		d := setup{
			args: append([]string{"-i"}, pools...),
			wrap: strings.Split(helperArgs("modest")+"\t65536", "\t"),
		}.start(t)
		const starts = 50
		var commands []string
		for n := range starts {
			commands = append(commands, fmt.Sprintf("service.args⇥s%d⇥/bin/true", n))
		}
		d.i.ask(commands...)
		d.awaitSpareThreads()
		d.limitProcesses(1)
		commands = nil
		for n := range starts {
			commands = append(commands, fmt.Sprintf("service.start⇥s%d", n))
		}
		d.i.send(commands...)
		for range starts {
			d.log.await("error: fork failed: Resource temporarily unavailable")
			d.log.await("info: will retry in 3 seconds")
		}
		due := map[string][]string{} // the times of each service's starts
		for len(due) < starts || slices.ContainsFunc(slices.Collect(maps.Values(due)), func(t []string) bool { return len(t) < 2 }) {
			fields := strings.Split(d.i.await("service.state⇥{any}⇥start⇥{int}⇥-⇥-⇥-⇥-⇥-"), "\t")
			due[fields[1]] = append(due[fields[1]], fields[3])
		}
		for name, times := range due {
			asked, _ := strconv.Atoi(times[0])
			if again, _ := strconv.Atoi(times[1]); again < asked+3 || again > asked+5 {
				t.Errorf("%s is due at %d, after %d", name, again, asked)
			}
		}
		d.limitProcesses(10000)
		var ends []string
		for n := range starts {
			ends = append(ends, fmt.Sprintf("service.state⇥s%d⇥down⇥{any}⇥exit⇥0⇥{int}⇥0", n))
		}
		d.i.awaitAll(ends...)
		d.i.skip()
	}
}

func (d *daemon) limitProcesses(n uint64) {
	d.t.Helper()
	argv := strings.Split(helperArgs("limit_processes"), "\t")
	if out, err := exec.Command(argv[0], append(argv[1:], strconv.Itoa(d.pid), strconv.FormatUint(n, 10))...).CombinedOutput(); err != nil {
		d.t.Fatalf("%v: %s", err, out)
	}
}

func init() { helpers["limit_processes"] = helperLimitProcesses }

// limit_processes PID N: lets the user of PID, one without rights, have no more than N processes. Only that user may.
func helperLimitProcesses(args []string) int {
	pid, _ := strconv.Atoi(args[0])
	n, _ := strconv.ParseUint(args[1], 10, 64)
	if syscall.Setgroups(nil) != nil || syscall.Setgid(modestUser) != nil || syscall.Setuid(modestUser) != nil {
		return 1
	}
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NPROC, nil, &limit); err != nil {
		fmt.Println(err)
		return 1
	}
	limit.Cur = min(n, limit.Max)
	if err := unix.Prlimit(pid, unix.RLIMIT_NPROC, &limit, nil); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
