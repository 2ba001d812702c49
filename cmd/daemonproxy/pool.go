package main

import (
	"math"
	"runtime"
	"sync"
	"time"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/actor/mainthread"
	"daemonproxy/service/spawn"

	"golang.org/x/sys/unix"
)

// The pool mode. A pool bounds services or handles and makes all of them at
// start. With both pools everything else is bounded too: from the moment that
// commands run, no heap object is made and no memory is mapped. docs/pools.md
// says what that costs.

func (o *options) bounded() bool { return o.fdPool.set && o.servicePool.set }

// frugal turns off what a bounded program has no use for, before it is set up.
// The collector would find nothing: what the set-up leaves behind is some
// 100 kB, while a single collection costs 900 kB, for its own records and
// workers.
//
// The promise needs a single processor, too: there the runtime keeps its spare
// records (of waiting and of ended goroutines, of timers) in one place. With more,
// each keeps up to 128 for itself, and makes new ones while another has plenty: a
// few objects an hour, for ever.
func frugal() {
	if spawn.StartPath != "clone" {
		return // the applet's way of starting allocates, so there is what to collect
	}
	actor.SetGCPercent(-1)
	actor.SetMemoryLimit(math.MaxInt64) // GOMEMLIMIT would turn it on again
}

func (d *daemon) fillHandles() {
	if !d.options.fdPool.set {
		return
	}
	// A command under way holds two descriptors, a start those that it borrows.
	others := 2*d.options.maxClients + spawn.Spawners*min(d.lendable(), int(d.options.fdPool.n))
	if d.handles.Fill(others) != nil {
		d.duties.Refuse(mainthread.ExitEnvironment, "Unable to preallocate file descriptor objects")
	}
}

func (d *daemon) fillServices() {
	if !d.options.servicePool.set {
		return
	}
	if d.services.Fill() != nil || d.spawners.Warm() != nil {
		d.duties.Refuse(mainthread.ExitEnvironment, "Unable to preallocate service objects")
	}
	services := int(d.options.servicePool.n)
	d.reaper.Reserve(services)
	d.clock.Reserve(services + d.options.maxClients + 2)
}

// lendable is how many descriptors the list of a service can name: each takes a
// name and a TAB.
func (d *daemon) lendable() int {
	const most = 2048 // in one line
	if !d.options.servicePool.set {
		return loanRoom
	}
	return int(min(d.options.servicePool.m/2, most))
}

// seal ends the making, before the first command. A program with both pools asks the
// system for no more memory from here on; so the parts of the Go runtime that grow
// on demand and never shrink are warmed up.
func (d *daemon) seal() {
	// Who may be in a system call that blocks: a start without descriptors, pens of the log, each connection (it
	// opens a FIFO, say), stdin and stdout, the control socket, and those who run.
	warmThreads(1+logger.Pens+d.options.maxClients+3+spareThreads, true)
	warmWaiting()
	warmTimers()
	warmPreemption()
	warmStatistics()
}

const spareThreads = 4

// keepThreads has threads beforehand where there are no pools: the runtime ends the program if the
// system refuses one when it needs it, and what refuses threads also refuses forks,
// so that services which cannot start would take the supervisor with them.
//
// Whether the system makes another one can't be tried where programs are begun through the applet. There are more
// beforehand there, and no bound.
func (d *daemon) keepThreads() {
	if spawn.StartPath != "clone" {
		return
	}
	actor.KeepIdle(func(n int) bool {
		if !d.spawners.Room(n + 1) { // one more goes on with all else meanwhile
			return false
		}
		warmThreads(n, false)
		return true
	})
}

// stockUp makes some of them. A limit below fewest is left to the services: there the stock itself would be what
// reaches it.
func stockUp() {
	const fewest, stock, untried = 64, 2, 8
	var limit unix.Rlimit
	switch err := unix.Getrlimit(unix.RLIMIT_NPROC, &limit); {
	case err == nil && limit.Cur < fewest:
	case spawn.StartPath != "clone":
		warmThreads(untried, false)
	default:
		actor.StockUp(stock)
	}
}

// warmThreads makes n threads: as many goroutines insist on one of their own at
// the same time. The runtime keeps them, asleep, for 17 kB each; and it keeps
// what it knew the goroutines by, which timers use to start theirs.
//
// Completely warm ones have met a signal, one that the runtime itself uses and
// ignores. Otherwise a page of the thread's signal stack becomes resident when
// its first signal comes, some day (180 kB for 50 threads, within seconds of a
// soak).
func warmThreads(n int, completely bool) {
	var started, ended sync.WaitGroup
	release := make(chan struct{})
	started.Add(n)
	for range n {
		ended.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if completely {
				unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGURG)
			}
			started.Done()
			<-release
		})
	}
	started.Wait()
	close(release)
	ended.Wait()
}

// warmWaiting makes the records (sudog) by which goroutines wait for channels
// and locks: one for each that waits at a time, or several for a select. All
// slots have theirs by now, so this is for when more wait than ever before.
func warmWaiting() {
	var ended sync.WaitGroup
	release := make(chan struct{})
	for range 16 {
		ended.Go(func() {
			select { // waits by 16 records at once
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			}
		})
	}
	runtime.Gosched() // with one processor, all of them wait when this returns
	close(release)
	ended.Wait()
}

// warmTimers makes the runtime's heap of timers as large as it will be. There
// are those of the clock, the log with its pens, and the spawners.
func warmTimers() {
	var timers [16]*time.Timer
	for i := range timers {
		timers[i] = time.AfterFunc(time.Hour, func() {})
	}
	for _, t := range timers {
		t.Stop()
	}
}

// warmPreemption runs for so long without a pause that the runtime interrupts it,
// as it does after 10 ms: the first time it maps the place for the registers.
func warmPreemption() {
	const enough = 30 * time.Millisecond
	n := 0
	for end := actor.Monotonic() + int64(enough); actor.Monotonic() < end; {
		for i := range 1 << 16 {
			n ^= i
		}
	}
	runtime.KeepAlive(n)
}

// warmStatistics reads what the command memory reads: for that, each processor
// puts back the memory that it has at hand, and the lists for it are made the
// first time (a few kB, from 256 kB that the runtime maps when they are used up).
func warmStatistics() {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
}
