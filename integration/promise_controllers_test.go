package integration

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The promise that a controller may be killed at any moment: the services never notice.

func init() {
	helpers["foreman"] = helperForeman
}

// foreman JOBS STEPS: a controller on 0 and 1 that wants JOBS services jobN, each with a pipe as its input. Whatever
// exists already it leaves alone. In one life it takes no more than STEPS steps: then it says so on 2 and hangs, its
// last command not yet answered.
func helperForeman(args []string) int {
	jobs, _ := strconv.Atoi(args[0])
	steps, _ := strconv.Atoi(args[1])
	f := foreman{in: bufio.NewScanner(descriptor(0))}
	if !f.tell("statedump") {
		return 1
	}
	for n := range jobs {
		job := fmt.Sprintf("job%d", n)
		wanted := []struct{ record, event, command string }{
			{"in" + job, "fd.state\tin" + job + "\tpipe\tfrom\tout" + job, "fd.pipe\tin" + job + "\tout" + job},
			{job, "service.args\t" + job + "\t" + selfPath() + "\thelper\tcat", ""},
			{job, "service.fds\t" + job + "\tin" + job + "\tfd_3\tstderr", ""},
			{job, "service.state\t" + job + "\tup", "service.start\t" + job},
		}
		for _, want := range wanted {
			if f.knows(want.record, want.event) {
				continue
			}
			if want.command == "" {
				want.command = want.event
			}
			if steps--; steps == 0 {
				fmt.Println(want.command)
				fmt.Fprintln(os.Stderr, "foreman: at", want.command)
				return helperHang(nil)
			}
			if !f.tell(want.command) {
				return 1
			}
		}
	}
	fmt.Fprintln(os.Stderr, "foreman: all is done")
	return helperHang(nil)
}

// foreman is what the controller knows of the daemon's state.
type foreman struct {
	in    *bufio.Scanner
	known []string // the lines it has got
}

// tell sends a command and takes all events up to its end.
func (f *foreman) tell(command string) bool {
	fmt.Printf("%s\necho\tdone\n", command)
	for f.in.Scan() {
		if f.in.Text() == "done" {
			return true
		}
		f.known = append(f.known, f.in.Text())
	}
	return false
}

// knows tells whether the last event of this kind about an object begins like this one.
func (f *foreman) knows(name, event string) bool {
	kind, _, _ := strings.Cut(event, "\t")
	for _, line := range slices.Backward(f.known) {
		if strings.HasPrefix(line, kind+"\t"+name+"\t") {
			return strings.HasPrefix(line, event)
		}
	}
	return false
}

// TestPromiseKilledController kills a controller again and again in the middle of its work. Each next one learns from
// a statedump how far the work had got; the services never notice.
func TestPromiseKilledController(t *testing.T) {
	t.Parallel()
	const jobs = 12
	r, w := pipe(t)
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}, fds: map[int]*os.File{3: w}}.start(t)
	w.Close()
	out := d.stream("out", r)
	watch := d.client("watch")
	// 48 steps; with 7 in one life the controller is killed once at each of the four kinds of step, and more.
	d.i.send("service.args⇥foreman⇥{helper foreman}⇥12⇥7", "service.fds⇥foreman⇥control.event⇥control.cmd⇥stderr",
		"service.auto_up⇥foreman⇥-⇥always")
	d.i.await("service.state⇥foreman⇥up⇥{now}⇥{pid=foreman}⇥-⇥-⇥0⇥-")

	pids := map[string]string{}   // by service, from its `up`
	inputs := map[string]string{} // by service, what it reads from
	lives := 1
	for ; d.log.await("foreman: {any}") != "foreman: all is done"; lives++ {
		d.kill(d.num("foreman"))
		d.i.await("service.state⇥foreman⇥down⇥{now}⇥{foreman}⇥signal⇥SIGKILL⇥{int}⇥0")
		d.i.await("service.state⇥foreman⇥up⇥{now}⇥{pid=foreman}⇥-⇥-⇥0⇥-")
		for name, state := range d.i.services() {
			if state[2] == "up" && name != "foreman" && inputs[name] == "" {
				pid, err := strconv.Atoi(state[4])
				if err != nil {
					t.Fatalf("got %q", state)
				}
				inputs[name] = openDescriptors(pid)[0]
			}
		}
	}
	if lives < 6 {
		t.Errorf("the controller needed %d lives", lives)
	}

	for len(pids) < jobs {
		watch.await("service.state⇥{any=name}⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
		if name := d.get("name"); strings.HasPrefix(name, "job") {
			if pids[name] != "" {
				t.Errorf("%s was started twice", name)
			}
			pids[name] = d.get("p")
		}
	}
	state := watch.services()
	for name, pid := range pids {
		if got := state[name]; got[2] != "up" || got[4] != pid {
			t.Errorf("%s was started as %s and is %q", name, pid, got)
		}
	}
	for line := range slices.Values(watch.seen) {
		if watch.vars.match("service.state⇥job{any}⇥down⇥{any}⇥exit⇥{any}", line) {
			t.Errorf("a service has ended: %q", line)
		}
	}
	for name, input := range inputs {
		pid, err := strconv.Atoi(pids[name])
		if err != nil {
			t.Fatal(err)
		}
		if now := openDescriptors(pid)[0]; now != input || !strings.HasPrefix(now, "pipe:") {
			t.Errorf("%s reads from %s, and had %s", name, now, input)
		}
	}

	// The pipes work.
	d.i.send("service.args⇥say⇥{helper print}⇥1⇥through")
	for _, name := range slices.Sorted(maps.Keys(pids)) {
		d.set("job", name)
		d.i.send("service.fds⇥say⇥null⇥out{job}⇥stderr", "service.start⇥say")
		out.expect("through")
		d.i.await("service.state⇥say⇥down⇥{any}⇥exit⇥0⇥{int}⇥0")
	}
}
