// Command daemonproxy is a process supervisor that is controlled by lines of
// text.
//
// main.go pins the main thread and reads the options, daemon.go makes the
// actors and wires them, background.go is -D.
package main

import (
	"runtime"
	"syscall"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/actor/mainthread"
	_ "daemonproxy/actor/processor" // one goroutine at a time
	"daemonproxy/controller/protocol"
	"daemonproxy/service/spawn"

	"golang.org/x/sys/unix"
)

// The main goroutine stays on the main thread, which is the one that leads the
// process.
func init() { runtime.LockOSThread() }

func main() {
	spawn.Applet(protocol.Strerror)
	defer caught()
	unix.Umask(0o077)
	args := actor.Arguments()
	environ, mark := takeMark(actor.Environ())
	pid1 := unix.Getpid() == 1

	log := logger.New()
	log.Attach([]byte("stderr"), original{})
	duties := mainthread.New(log, environ)
	duties.OutliveRuntime(spawn.BornLimit())
	actor.OnPanic(duties.InternalError)
	log.OnPanic(actor.Panicked)

	if mark == nil && wantsBackground(args[1:], pid1) {
		code, errno := launch(args, environ)
		if errno == 0 {
			syscall.Exit(code)
		}
		duties.Fatal(mainthread.ExitEnvironment, "fork: "+protocol.Strerror(errno))
	}
	o, end := parseOptions(args[1:], pid1, terminal{log})
	log.SetFilter(logger.Level(o.filter))
	duties.Guard.Store(o.guard)
	duties.Args.Set([]byte(o.execArgs))
	if end != nil {
		if end.text == "" {
			duties.Quit(int64(end.code))
		}
		duties.Fatal(int64(end.code), end.text)
	}
	if o.bounded() {
		frugal()
	}
	d := setUp(&o, pid1, duties)
	d.receiver.Unblock()
	d.run(mark)
}

// setUp makes the daemon on a goroutine that is not pinned: there is much to ask of
// others, and each answer to a pinned one costs two switches of threads.
func setUp(o *options, pid1 bool, duties *mainthread.Duties) *daemon {
	made := make(chan *daemon)
	go func() {
		defer caught()
		made <- newDaemon(o, pid1, duties)
	}()
	return <-made
}

// caught ends the program after a panic on the main goroutine or in set-up, which are no
// actors that could go on.
func caught() {
	if v := recover(); v != nil {
		actor.Panicked(v)
		syscall.Exit(mainthread.ExitBrokenState)
	}
}

// original is the descriptor 2 that the program was started with, for the log
// until there are handles.
type original struct{}

func (original) FD() int  { return 2 }
func (original) Release() {}

// terminal is where parsing speaks to.
type terminal struct{ *logger.Log }

func (t terminal) log(level protocol.Level, text string) { t.Line(logger.Level(level), text) }
func (terminal) print(text string)                       { writeAll(1, []byte(text)) }
func (terminal) system(action string) unix.Errno         { return systemAction(action) }
