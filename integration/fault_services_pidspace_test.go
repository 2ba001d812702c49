package integration

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestFaultSmallPIDSpace: services start, end and are signalled while a crowd of strangers comes and goes, and all of them
// share some hundred pids. No stranger gets a signal, and each service ends with the pid that it began with.
//
// The daemon is process 1 of a pid namespace, whose kernel is told again and again to look for a free pid from the bottom.
// The crowd is another of its services.
func TestFaultSmallPIDSpace(t *testing.T) {
	t.Parallel()
	const services, commands, enough = 12, 40, 400
	random := rand.New(rand.NewPCG(seedFor(t), 4))
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	d := setup{args: []string{"-i"}, pid1: true, loose: true, fds: map[int]*os.File{3: inR, 4: outW}}.start(t)
	d.i.send("log.filter⇥fatal", "socket.create⇥-⇥{dir}/ctl")
	floods := []*controller{d.client("a"), d.client("b")}
	crowd := &lines{t: t, name: "crowd", vars: d.vars, src: outR, deadline: d.i.deadline}
	d.i.send("service.args⇥crowd⇥{helper crowd}", "service.fds⇥crowd⇥fd_3⇥fd_4⇥stderr", "service.start⇥crowd")
	for n := range services {
		program := []string{"/bin/true", "setsid⇥sleep⇥1000", "sleep⇥1000"}[n%3] // the second leads a group
		d.i.send(fmt.Sprintf("service.args⇥s%d⇥%s", n, program))
	}
	crowd.expect("ready")

	now, uses := map[string]string{}, map[string]int{} // pids of the services that are not down, and how often each was one's
	starts := 0
	follow := func(lines []string) {
		for _, line := range lines {
			fields := strings.Split(line, "\t")
			if fields[0] == "overflow" {
				t.Fatal("events were lost: the rounds are too large")
			}
			if fields[0] != "service.state" || fields[1] == "crowd" {
				continue
			}
			switch name, pid := fields[1], fields[4]; fields[2] {
			case "start":
				if now[name] != "" {
					t.Errorf("%q while it runs as %s", line, now[name])
				}
				now[name] = ""
			case "up":
				if now[name] != "" {
					t.Errorf("%q while it runs as %s", line, now[name])
				}
				now[name] = pid
				uses[pid]++
				starts++
			case "down":
				if now[name] != pid {
					t.Errorf("%q, and it runs as %q", line, now[name])
				}
				delete(now, name)
			}
		}
	}
	follow(d.i.catchUp())
	for starts < enough {
		for _, c := range floods {
			var text strings.Builder
			for range commands {
				name := fmt.Sprintf("s%d", random.IntN(services))
				fmt.Fprintf(&text, "service.start\t%s\nservice.signal\t%s\tUSR1\tgroup\nservice.signal\t%s\t%s\n", name, name, name,
					[]string{"TERM", "KILL", "HUP", "0", "KILL\tgroup"}[random.IntN(5)])
			}
			c.raw(text.String())
		}
		follow(d.i.catchUp())
		for _, c := range floods {
			c.catchUp()
			c.seen = nil
		}
		d.i.seen = nil
	}
	for len(now) > 0 {
		for name := range now {
			d.i.send("service.signal⇥" + name + "⇥KILL")
		}
		follow(d.i.catchUp())
	}
	fmt.Fprintln(inW, "end")
	made := strings.Fields(crowd.await("made {any}"))[1:]
	shared := 0
	for pid := range uses {
		if slices.Contains(made, pid) {
			shared++
		}
	}
	t.Logf("%d starts with %d pids, %d of which were those of strangers too", starts, len(uses), shared)
	if starts < 3*len(uses)/2 || shared < len(uses)/4 {
		t.Error("hardly any pid was used twice")
	}
	for _, line := range crowd.seen {
		if strings.HasPrefix(line, "struck") {
			t.Errorf("a stranger was %s", line)
		}
	}
	d.i.await("service.state⇥crowd⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥0")
}

func init() { helpers["crowd"] = helperCrowd }

// crowd: until there is a line, makes strangers and ends them, the oldest first. It says which of them somebody else has
// ended, and at last which pids they had.
func helperCrowd([]string) int {
	runtime.LockOSThread()
	end := make(chan struct{})
	go func() {
		bufio.NewScanner(os.Stdin).Scan()
		close(end)
	}()
	const size, lowest = 20, "300"
	var alive, made []int
	for n := 0; ; n++ {
		select {
		case <-end:
			for _, pid := range alive {
				dismiss(pid)
			}
			slices.Sort(made)
			fmt.Println("made", strings.Trim(fmt.Sprint(slices.Compact(made)), "[]"))
			return 0
		default:
		}
		if n%4 == 0 {
			if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(lowest), 0); err != nil {
				fmt.Println(err)
				return 1
			}
		}
		pid, err := newcomer()
		if err != nil {
			fmt.Println(err)
			return 1
		}
		if n == 0 {
			fmt.Println("ready")
		}
		alive, made = append(alive, pid), append(made, pid)
		if len(alive) > size {
			dismiss(alive[0])
			alive = alive[1:]
		}
	}
}

// newcomer makes a stranger with whatever pid is free.
func newcomer() (pid int, err error) {
	var was unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &allSignals, &was); err != nil {
		return 0, err
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &was, nil)
	var parent int32
	const parentSetTID = 0x00100000
	args := cloneArgs{flags: parentSetTID, parentTID: uint64(uintptr(unsafe.Pointer(&parent))), exitSignal: uint64(unix.SIGCHLD)}
	if errno := fork(&args); errno != 0 {
		return 0, errno
	}
	return int(parent), nil
}

// dismiss ends a stranger, and says so if it has ended before.
func dismiss(pid int) {
	var status unix.WaitStatus
	if ended, err := unix.Wait4(pid, &status, unix.WNOHANG, nil); ended == pid || err != nil {
		fmt.Println("struck:", pid, status, err)
		return
	}
	unix.Kill(pid, unix.SIGKILL)
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil || status.Signal() != unix.SIGKILL {
		fmt.Println("struck:", pid, status, err)
	}
}
