package protocol

import (
	"bytes"
	"testing"
)

var seeds = []string{
	"echo||", "statedump", "exit", "chdir|/", "service.tags|s|a||", "service.args|s|/bin/sh|-c|", "service.fds|s||-|x",
	"service.auto_up|s|-", "service.auto_up|s|5|always|TERM||x", "service.auto_up|s|5||x", "service.start|s|99", "service.start|s|-",
	"service.signal|s|TERM|group", "service.delete|s", "socket.create|mode=660,uid=4294967294,gid=0|/p", "socket.delete",
	"fd.pipe|r|w|udp,unix,nonblock", "fd.pipe|r|w|-,nonblock", "fd.open|f|write,append|/x", "fd.socket|s|listen=5,mkdir|/a",
	"fd.socket|s|inet6,udp=x,listen,nonblock|*:80", "fd.socket|s|inet6,dgram|[::ffff:1.2.3.4]:7", "fd.take|x", "fd.delete|x",
	"log.filter|+", "log.filter|-", "log.filter|warning", "log.filter", "log.dest|fd|null", "conn.event_timeout|1|2",
	"signal.clear|CHLD|-5", "terminate.exec_args|a|b", "terminate.guard|+|5", "terminate|-1|99999999999999999999", "memory", "|x", "no such",
}

// FuzzParse: any line.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(tabs(s))
	}
	f.Fuzz(checkLine)
}

func TestAllocations(t *testing.T) {
	var lines [][]byte
	for _, s := range append(seeds, "fd.open|f|bad|x", "service.signal|s|TERM|x", "fd.socket|s|bad=1", "fd.open|null") {
		lines = append(lines, tabs(s))
	}
	stream := bytes.Join(lines, []byte("\n"))
	buf := make([]byte, 0, MaxEvent)
	var c Command
	var in Input
	name := []byte("name")
	up := ServiceState{Phase: PhaseUp, Time: 1e9, PID: 1 << 20, Uptime: 1e6}
	down := ServiceState{Phase: PhaseDownSignaled, Time: 1e9, PID: 1 << 20, Signal: 9}
	file := FDState{Open: 127, Desc: name}
	pipe := FDState{Type: Pipe, Socket: SocketFlags{Pair: true, NonBlock: true}, Desc: name}
	socket := FDState{Type: Socket, Socket: SocketFlags{Bind: true, Listen: true}, Listen: 1000, Desc: name}
	memory := [5]int64{1 << 40, 2, 3, -1, 5}
	for what, step := range map[string]func(){
		"Parse": func() {
			for _, line := range lines {
				Parse(line, &c)
			}
		},
		"Append and AppendError": func() {
			for _, line := range lines {
				if Parse(line, &c); c.Err.Code == OK {
					buf = c.Append(buf[:0])
				} else {
					buf = AppendError(buf[:0], c.Err, line)
				}
			}
		},
		"errors": func() {
			for e := (Error{Arg: name, Num: 1 << 20, Errno: 4000}); e.Code < codes; e.Code++ {
				buf = AppendError(buf[:0], e, lines[0])
			}
		},
		"Input": func() {
			in.Reset()
			in.Filled(copy(in.Space(), stream))
			for kind := Line; kind != None; {
				_, kind = in.Next()
			}
			in.Rest()
		},
		"events": func() {
			buf = AppendServiceState(buf[:0], name, &up)
			buf = AppendServiceState(buf, name, &down)
			buf = AppendServiceValue(buf, ServiceArgs, name, name)
			buf = AppendServiceAutoUp(buf, name, MaxInterval, name)
			buf = AppendFDState(buf, name, &file)
			buf = AppendFDState(buf, name, &pipe)
			buf = AppendFDState(buf, name, &socket)
			buf = AppendFDDeleted(buf, name)
			buf = AppendSignal(buf, 15, 1e9, 1000)
			buf = AppendEcho(buf, name)
			buf = AppendLogFilter(buf, LevelDebug)
			buf = AppendMemory(buf, &memory)
			buf = AppendInfo(buf, "text")
			buf = AppendNotDefined(buf, name)
			buf = AppendNotExist(buf, name)
			buf = AppendLogQuote(buf, stream)
			buf = AppendInt(buf, 1000)
		},
	} {
		if n := testing.AllocsPerRun(100, step); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}
