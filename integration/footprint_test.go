package integration

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// testMark begins the environment variable by which a process is known to belong to one test.
const testMark = "DAEMONPROXY_TEST="

// held counts the descriptors that tests can make a daemon leak. The runtime opens its epoll and eventfd when it
// first needs them.
func held(targets map[int]string) (n int) {
	for _, target := range targets {
		if target != "anon_inode:[eventpoll]" && target != "anon_inode:[eventfd]" {
			n++
		}
	}
	return n
}

// openDescriptors lists a process's descriptors by what they refer to; nil once it is gone.
func openDescriptors(pid int) map[int]string {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	targets := map[int]string{}
	for _, entry := range entries {
		n, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if target, err := os.Readlink(filepath.Join(dir, entry.Name())); err == nil {
			targets[n] = target
		}
	}
	return targets
}

// settle undoes what a test did, over the interactive controller, and requires that the daemon holds no more
// descriptors than at first, no child and no zombie. It runs when a test has passed and the daemon still listens.
func (d *daemon) settle() {
	if d.before == nil || d.setup.loose || d.t.Failed() || !d.alive() || d.i.w == nil {
		return
	}
	for _, c := range d.clients {
		c.close()
	}
	d.i.deadline = func() time.Time { return time.Now().Add(patience) }
	d.limit = d.i.deadline()
	for d.i.endServices() {
	}
	for name, state := range d.i.handles() {
		original := strings.HasPrefix(name, "std") || strings.HasPrefix(name, "fd_")
		if state[2] != "special" && !(original && state[4] == "unknown") {
			d.i.send("fd.delete⇥" + name)
		}
	}
	d.i.send("socket.delete")
	d.i.skip()
	d.eventually("no children and no new descriptors", func() bool {
		if len(children(d.pid)) == 0 && held(openDescriptors(d.pid)) <= held(d.before) {
			return true
		}
		if time.Until(d.limit) < time.Second {
			d.t.Errorf("children %v\ndescriptors %v\nat first %v", children(d.pid), sorted(openDescriptors(d.pid)), sorted(d.before))
			return true
		}
		return false
	})
}

// endServices deletes the services that are down and ends one that is up. It reports whether there were any.
func (c *controller) endServices() bool {
	services := c.services()
	up := ""
	for name, state := range services {
		c.send("service.auto_up⇥"+name+"⇥-", "service.start⇥"+name+"⇥-", "service.delete⇥"+name)
		if state[2] == "up" {
			up = name
		}
	}
	if up != "" {
		c.send("service.signal⇥" + up + "⇥KILL")
		c.await("service.state⇥" + up + "⇥down⇥{any}")
	}
	return len(services) > 0
}

// services asks for a dump and returns the fields of every service.state by name.
func (c *controller) services() map[string][]string {
	c.t.Helper()
	return c.dumped("service.state")
}

// handles does so for fd.state.
func (c *controller) handles() map[string][]string {
	c.t.Helper()
	return c.dumped("fd.state")
}

func (c *controller) dumped(event string) map[string][]string {
	c.t.Helper()
	c.skip()
	records := map[string][]string{}
	for _, line := range c.ask("statedump") {
		if fields := strings.Split(line, "\t"); fields[0] == event && len(fields) > 2 {
			records[fields[1]] = fields
		}
	}
	return records
}

func sorted(targets map[int]string) (list []string) {
	for _, n := range slices.Sorted(maps.Keys(targets)) {
		list = append(list, fmt.Sprintf("%d=%s", n, targets[n]))
	}
	return list
}

// stat is what the tests want of /proc/PID/stat.
type stat struct {
	pid                        int
	comm, state                string
	parent, group, session, tg int // tg: the terminal's foreground group
}

func readStat(pid int) (s stat, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return s, false
	}
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	fields := strings.Fields(string(text[end+1:]))
	number := func(i int) int { n, _ := strconv.Atoi(fields[i]); return n }
	return stat{pid, string(text[open+1 : end]), fields[0], number(1), number(2), number(3), number(5)}, true
}

// children are the processes whose parent is pid, zombies included.
func children(pid int) (found []stat) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if n, err := strconv.Atoi(entry.Name()); err == nil {
			if s, ok := readStat(n); ok && s.parent == pid {
				found = append(found, s)
			}
		}
	}
	return found
}

// endLeftovers kills and reaps the processes of a test that outlived their daemon; this process, a subreaper,
// has become their parent. Zombies have no environment any more, so they are left to the end of the run.
func endLeftovers(t testing.TB, mark string) {
	for again := true; again; {
		again = false
		for _, child := range children(os.Getpid()) {
			environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", child.pid))
			if err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), mark) {
				continue
			}
			again = true
			if err := syscall.Kill(child.pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			if _, err := syscall.Wait4(child.pid, nil, 0, nil); err != nil {
				t.Error(err)
			}
		}
	}
}
