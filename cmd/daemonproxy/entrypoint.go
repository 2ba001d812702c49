package main

import (
	"syscall"

	"daemonproxy/actor"
	"daemonproxy/actor/mainthread"
	"daemonproxy/actor/reaper"
	"daemonproxy/controller/protocol"
	"daemonproxy/service"

	"golang.org/x/sys/unix"
)

// hungPatience is how long, after all services were killed, an entrypoint waits
// for them to be reaped, and for programs whose exec hangs.
const hungPatience = actor.Second

// entrypoint is the actor that makes a program's life that of the daemon: it
// starts the main service once the set-up is done, and when that has ended for
// good it ends the other services and then the daemon, with main's status. All
// that it is told are offers; what it is about main itself is in package service.
type entrypoint struct {
	daemon  *daemon
	mailbox actor.Mailbox[*notice]
	began   notice // the set-up is done
	ended   notice // main has ended for good
	hurried notice // SIGTERM or SIGINT
	changed notice // a service has ended, or the alarm has rung

	call   *service.Call
	main   service.Main
	alarm  actor.Alarm
	phase  phase
	status int   // of main; written before ended is put
	since  int64 // when the wait began
	until  int64 // when the phase is over
	told   int64 // how many seconds of the wait the log has been told of
}

// phase is how far the end of an entrypoint has come.
type phase uint8

const (
	serving phase = iota // main has not ended
	waiting              // for the other services, which were told to end
	killing              // they were killed
	over
)

// notice is what an entrypoint takes: news, each at most once at a time.
type notice struct {
	actor.Envelope[*notice]
	meet func(*entrypoint)
}

func newEntrypoint(d *daemon) *entrypoint {
	e := &entrypoint{daemon: d, call: service.NewCall()}
	e.mailbox.Init()
	for _, bind := range []struct {
		notice *notice
		meet   func(*entrypoint)
	}{
		{&e.began, (*entrypoint).start},
		{&e.ended, (*entrypoint).end},
		{&e.hurried, (*entrypoint).hurry},
		{&e.changed, (*entrypoint).look},
	} {
		bind.notice.meet = bind.meet
		bind.notice.Bind(bind.notice)
	}
	e.alarm.Ringer = e
	e.main = service.Main{
		Argv:      d.options.program,
		Group:     d.options.signalGroup,
		Over:      e.mainOver,
		Stoppable: stoppable,
		Suspend:   suspend,
	}
	return e
}

// prepare readies the process before signals are received, and returns those that
// are handled besides the usual ones.
func (e *entrypoint) prepare() (handled uint64) {
	d := e.daemon
	if !d.pid1 {
		// A kernel that can't do it (before 3.4) leaves orphans to others.
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
	d.duties.Terminal.Open()
	d.receiver.Also |= 1 << (unix.SIGWINCH - 1)
	d.receiver.Continued = func() { d.services.Continued() }
	return d.receiver.Also | 1<<(unix.SIGCONT-1)
}

// system is what the reaper looks for. A stopped main is of interest where there
// is a terminal whose Ctrl-Z stops it.
func (e *entrypoint) system() reaper.Kernel {
	if e.daemon.duties.Terminal.FD() < 0 {
		return 0
	}
	return unix.WUNTRACED
}

// define makes the main service. It reports false if a pool has no room for it.
func (e *entrypoint) define() bool {
	e.daemon.services.OnGone(e.serviceGone)
	return e.daemon.services.Define(e.call, &e.main)
}

// stoppable tells whether the kernel lets the signal stop us. Job control does not
// stop an orphaned process group, one without a parent of a member in another group
// of the session: nobody there could continue it. Such are the group of the one who
// leads the session (ssh -t, a terminal window) and, as a rule, a group that has lost
// its parent. Nothing stops process 1.
func stoppable(signal syscall.Signal) bool {
	switch {
	case unix.Getpid() == 1:
		return false
	case signal == unix.SIGSTOP:
		return true
	}
	parent := unix.Getppid()
	session, err := unix.Getsid(0)
	if err != nil || session == syscall.Getpgrp() || parent == 0 {
		return false
	}
	parents, err := unix.Getsid(parent)
	return err == nil && parents == session
}

// suspend stops the daemon as main was stopped. It returns when it is continued,
// or a moment before it is stopped.
func suspend(signal syscall.Signal) { _ = unix.Kill(unix.Getpid(), signal) }

// setUp offers the news that main may be started.
func (e *entrypoint) setUp() { e.mailbox.Put(&e.began.Envelope) }

// mainOver offers main's status.
func (e *entrypoint) mainOver(status int) {
	e.status = status
	e.mailbox.Put(&e.ended.Envelope)
}

// signaled passes a signal on to main. One that asks for the end, while that is
// waited for, hastens it; this comes first, or the end of main that follows from the
// signal might be what is waited for.
func (e *entrypoint) signaled(s protocol.Signal) {
	if s == protocol.Signal(unix.SIGTERM) || s == protocol.Signal(unix.SIGINT) {
		e.mailbox.Put(&e.hurried.Envelope)
	}
	if deliver := e.daemon.options.deliver(s); deliver != 0 {
		e.daemon.services.Forward(deliver)
	}
}

// serviceGone and Ring make the entrypoint look again.
func (e *entrypoint) serviceGone() { e.mailbox.Put(&e.changed.Envelope) }

// Ring is the clock's.
func (e *entrypoint) Ring() { e.mailbox.Put(&e.changed.Envelope) }

func (e *entrypoint) run() {
	for {
		e.step(e.mailbox.Take())
	}
}

func (e *entrypoint) step(n *notice) {
	defer func() {
		if v := recover(); v != nil {
			actor.Panicked(v)
		}
	}()
	n.meet(e)
}

func (e *entrypoint) start() {
	if !e.daemon.services.StartMain(e.call) {
		e.end() // somebody has deleted it
	}
}

// end follows the end of main: from here on nothing starts any more.
func (e *entrypoint) end() {
	if e.phase != serving {
		return
	}
	e.phase = waiting
	e.since = e.daemon.clock.Now()
	e.until = e.since + e.daemon.options.grace*actor.Second
	e.daemon.duties.CloseStarts()
	e.daemon.services.Settle()
	e.look()
}

func (e *entrypoint) hurry() {
	if e.phase == waiting {
		e.until = 0
		e.look()
	}
}

// look goes on with the end as far as it can.
func (e *entrypoint) look() {
	if e.phase == serving || e.phase == over {
		return
	}
	now := e.daemon.clock.Now()
	running, others := e.daemon.services.Alive()
	switch {
	case running+others == 0, e.phase == killing && running == 0 && now >= e.until:
		e.phase = over
		e.daemon.clock.Stop(&e.alarm)
		e.daemon.duties.Terminate(int64(e.status), mainthread.TerminatedNormally)
		return
	case e.phase == waiting && now >= e.until:
		e.phase = killing
		e.until = now + hungPatience
		e.daemon.services.Slay()
	case e.phase == waiting:
		if seconds := (now - e.since) / actor.Second; seconds > e.told {
			e.told = seconds
			e.daemon.services.Remind()
		}
	}
	next := e.until
	switch {
	case e.phase == waiting:
		next = min(next, e.since+(e.told+1)*actor.Second)
	case now >= next:
		return // the last ones are being killed, and each will say so
	}
	e.daemon.clock.Set(&e.alarm, next)
}
