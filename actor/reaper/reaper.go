// Package reaper owns the process table. It alone waits for children and sends
// them signals, so a pid that was reaped is out of the table before any later
// signal is looked up: no signal can hit a recycled pid, and every process has
// exactly one exit.
//
// ChildChanged is an offer from the signals; Adopt and Kill are requests from
// services, on their own goroutines.
package reaper

import (
	"slices"
	"syscall"
	"unsafe"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

// Exit is how a process ended, and when it was reaped (CLOCK_MONOTONIC, in
// nanoseconds).
type Exit struct {
	PID    int
	Status unix.WaitStatus
	At     int64
}

// Owner is told of the exit of its process. Exited is an offer: it does not
// wait. It comes once for each process.
type Owner interface{ Exited(Exit) }

// Stopper is an Owner that wants to know when its process was stopped, by job
// control or otherwise. Stopped is an offer. It is called only if the System
// reports it.
type Stopper interface{ Stopped(signal syscall.Signal) }

// Birth is a process that was forked and whose owner has not adopted it yet.
// Its methods are called by the reaper alone.
type Birth interface {
	MarkExited()
	MarkAdopted()
	HasExited() bool
}

// Births finds the births under way, so that the exit of a child that was
// faster than its parent reaches its owner. Those marked as exited are passed
// over: their pid may be another child's by now.
type Births interface {
	Born(pid int) (Owner, Birth, bool)
}

// System is what the reaper asks of the kernel.
type System interface {
	Wait() (pid int, status unix.WaitStatus, ok bool)
	Kill(pid int, signal syscall.Signal) error
}

// Reaper is the actor. New makes one, Run is its goroutine.
type Reaper struct {
	mailbox actor.Mailbox[message]
	changed childChanged
	stop    stop
	births  Births
	system  System
	table   []process // by pid
}

type process struct {
	pid   int
	owner Owner
}

// New returns a reaper; a nil system is the Kernel, which
// does not look for stopped children.
func New(births Births, system System) *Reaper {
	if system == nil {
		system = Kernel(0)
	}
	r := &Reaper{births: births, system: system}
	r.mailbox.Init()
	r.changed.Bind(&r.changed)
	r.stop.Bind(&r.stop)
	return r
}

// Reserve makes room for n processes, before Run, so that the table does not
// grow later.
func (r *Reaper) Reserve(n int) { r.table = slices.Grow(r.table, n) }

// Run reaps until Stop. It begins with a look at children that ended before.
func (r *Reaper) Run() {
	r.ChildChanged()
	for {
		m := r.mailbox.Take()
		if m == &r.stop {
			return
		}
		r.step(m)
	}
}

func (r *Reaper) step(m message) {
	defer func() {
		if v := recover(); v != nil {
			actor.Panicked(v)
			m.abandon()
			r.ChildChanged() // the step may have left children unreaped
		}
	}()
	m.deliver(r)
}

// ChildChanged offers the news that some child may have ended (SIGCHLD).
func (r *Reaper) ChildChanged() { r.mailbox.Put(&r.changed.Envelope) }

// Stop ends Run.
func (r *Reaper) Stop() { r.mailbox.Put(&r.stop.Envelope) }

// reap takes every child that has ended off the kernel's hands. Pids that are
// nobody's are adopted orphans.
func (r *Reaper) reap() {
	for {
		pid, status, ok := r.system.Wait()
		if !ok {
			return
		}
		if status.Stopped() {
			r.stopped(pid, status.StopSignal())
			continue
		}
		exit := Exit{PID: pid, Status: status, At: actor.Monotonic()}
		if i, found := r.find(pid); found {
			owner := r.table[i].owner
			r.table = append(r.table[:i], r.table[i+1:]...)
			owner.Exited(exit)
		} else if owner, birth, found := r.births.Born(pid); found {
			birth.MarkExited()
			owner.Exited(exit)
		}
	}
}

// stopped tells the owner, also one that has not adopted the process yet.
func (r *Reaper) stopped(pid int, signal syscall.Signal) {
	var owner Owner
	if i, found := r.find(pid); found {
		owner = r.table[i].owner
	} else {
		owner, _, _ = r.births.Born(pid)
	}
	if s, ok := owner.(Stopper); ok {
		s.Stopped(signal)
	}
}

// find returns the place of pid in the table, or where it belongs.
func (r *Reaper) find(pid int) (place int, found bool) {
	low, high := 0, len(r.table)
	for low < high {
		if mid := (low + high) / 2; r.table[mid].pid < pid {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(r.table) && r.table[low].pid == pid
}

func (r *Reaper) adopt(pid int, owner Owner, birth Birth) {
	if birth.HasExited() {
		return // its owner was told already
	}
	birth.MarkAdopted()
	i, _ := r.find(pid)
	r.table = append(r.table, process{})
	copy(r.table[i+1:], r.table[i:])
	r.table[i] = process{pid, owner}
}

func (r *Reaper) kill(pid int, owner Owner, signal syscall.Signal, group bool) error {
	if i, found := r.find(pid); !found || r.table[i].owner != owner {
		return unix.ESRCH
	}
	if group {
		pid = -pid
	}
	return r.system.Kill(pid, signal)
}

// Kernel is the System of the real program. Its value is the options of wait4
// besides WNOHANG: WUNTRACED makes it report stopped children too.
type Kernel int

// Wait asks for a child that has changed.
func (k Kernel) Wait() (int, unix.WaitStatus, bool) {
	var status unix.WaitStatus
	for {
		// It does not wait, so the runtime need not know.
		r, _, errno := unix.RawSyscall6(unix.SYS_WAIT4, ^uintptr(0), uintptr(unsafe.Pointer(&status)), unix.WNOHANG|uintptr(k), 0, 0, 0)
		if pid := int(r); errno != unix.EINTR {
			return pid, status, pid > 0 && errno == 0
		}
	}
}

// Kill sends a signal.
func (Kernel) Kill(pid int, signal syscall.Signal) error { return unix.Kill(pid, signal) }
