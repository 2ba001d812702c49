package controller

import (
	"strings"
	"testing"

	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// What commands cost in heap objects, once names and buffers are in place.
func TestCommandsAllocateNothing(t *testing.T) {
	h := newHouse(t, 2)
	c := h.table.reserve()
	defer h.table.unreserve(c)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = unix.Close(pair[0])
		_ = unix.Close(pair[1])
	}()
	c.outbox.Open(pair[0])
	defer c.outbox.Close()
	h.world.Ledger.Arrived(protocol.Signal(unix.SIGUSR1))
	buf := make([]byte, 64<<10)
	run := func(lines [][]byte) {
		for _, line := range lines {
			c.execute(line, protocol.Line)
		}
		_, _ = unix.Read(pair[1], buf)
	}
	for _, commands := range []string{
		"echo|text", "what|is|this", "echo", "service.start|absent", "service.signal|s|Nothing",
		"service.tags|s|a|b", "service.args|s|prog|x", "service.fds|s|a|-", "service.auto_up|s|5|USR2",
		"service.start|s|9999999999", "service.start|s|9999999999;service.start|s|-",
		"service.tags|other|x;service.delete|other", "statedump", "log.filter", "log.filter|info;log.filter|debug",
		"log.dest|fd|none;log.dest|fd|stderr", "conn.event_timeout|1|2", "signal.clear|USR1|0", "memory",
		"terminate.exec_args|a|b;terminate.exec_args", "terminate.guard|+|5;terminate.guard|-|5", "fd.take|x", "fd.delete|absent",
		"socket.create|bad=option|x", "socket.create|mode=644|" + t.TempDir() + "/ctl;socket.delete",
		"fd.pipe|r|w;fd.delete|r;fd.delete|w", "fd.socket|k|unix,stream;fd.delete|k", "fd.open|f|read|/dev/null;fd.delete|f", "chdir|/",
	} {
		var lines [][]byte
		for _, line := range strings.Split(commands, ";") {
			lines = append(lines, []byte(strings.ReplaceAll(line, "|", "\t")))
		}
		for range 5 { // names and buffers
			run(lines)
		}
		if allocs := testing.AllocsPerRun(50, func() { run(lines) }); allocs != 0 {
			t.Errorf("%s: %v objects", commands, allocs)
		}
	}
}
