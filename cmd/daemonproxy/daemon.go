package main

import (
	"cmp"
	"math"
	"sync"
	"time"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/actor/mainthread"
	"daemonproxy/actor/reaper"
	"daemonproxy/actor/signals"
	"daemonproxy/controller"
	"daemonproxy/controller/protocol"
	"daemonproxy/handle"
	"daemonproxy/service"
	"daemonproxy/service/spawn"

	"golang.org/x/sys/unix"
)

const (
	// setupFlush is how long the log of the set-up may take to reach the terminal
	// that -D leaves behind.
	setupFlush = time.Second
	// socketPatience is how long an exit waits for the control socket.
	socketPatience = time.Second
	// forkPatience is how long an exit lets an exec that is under way take, so that
	// its service is in the list of those that run. On a busy machine an exec
	// takes far longer than usual; only one that hangs takes all of this.
	forkPatience = time.Second
	// calm is when what can wait is done: the first services come before it.
	calm = 100 * time.Millisecond
)

// daemon is the actors of the program and what wires them.
type daemon struct {
	options  *options
	pid1     bool
	duties   *mainthread.Duties
	log      *logger.Log
	clock    *actor.Clock
	poller   *actor.Poller
	receiver signals.Receiver
	reaper   *reaper.Reaper
	spawners *spawn.Pool
	handles  *handle.Registry
	services *service.Registry
	socket   *controller.Socket
	table    *controller.Table
	main     *entrypoint // nil but for an entrypoint
	reading  bool        // a config
}

// newDaemon sets the program up, up to the point where commands may run.
func newDaemon(o *options, pid1 bool, duties *mainthread.Duties) *daemon {
	d := &daemon{options: o, pid1: pid1, duties: duties, log: duties.Log}
	// First of all: a signal that comes sooner ends the program. It ends process 1 too,
	// which the kernel would spare, since the runtime exits after it.
	ledger := &signals.Ledger{}
	d.receiver = signals.Receiver{Ledger: ledger, Arrived: d.signaled, Child: d.childChanged, Fatal: duties.FatalSignal}
	if pid1 {
		d.receiver.Also = 1<<(unix.SIGPWR-1) | 1<<(unix.SIGWINCH-1)
	}
	handled := d.receiver.Also
	var system reaper.Kernel
	if o.program != nil {
		d.main = newEntrypoint(d)
		handled |= d.main.prepare()
		system = d.main.system()
	}
	err := d.receiver.Listen()
	d.log.Prepare()

	bus := &actor.Bus{Trace: d.traceEvent}
	d.clock = actor.NewClock(nil)
	poller, failure := actor.NewPoller()
	if err == nil && failure == nil {
		err = d.receiver.Watch(poller)
	}
	if err = cmp.Or(err, failure); err != nil {
		duties.Refuse(mainthread.ExitImpossible, "signal pipe setup: "+protocol.Strerror(errnoOf(err)))
	}
	d.poller = poller
	d.handles = handle.NewRegistry(bus, d.log, int(o.fdPool.n), int(o.fdPool.m))
	duties.Kept = d.handles.KeepOpen
	d.fillHandles()
	call := handle.NewCall()
	if d.handles.Inherit(call, nil) != nil {
		duties.Refuse(mainthread.ExitBadOptions, "Not enough FD objects to register all open FDs")
	}
	if pid1 {
		d.takeKeyboard()
	}

	d.spawners = spawn.NewPool(poller, duties.Environ, handled, protocol.Strerror)
	d.reaper = reaper.New(service.Births(d.spawners), system)
	services := &service.World{
		Bus: bus, Clock: d.clock, Log: d.log, Duties: duties, Ledger: ledger,
		Reaper: d.reaper, Spawners: d.spawners, Descriptors: descriptors{d.handles, d.lendable()},
	}
	d.services = service.NewRegistry(services, int(o.servicePool.n), int(min(o.servicePool.m, math.MaxInt)))
	d.fillServices()
	if d.main != nil && !d.main.define() {
		duties.Refuse(mainthread.ExitEnvironment, `Unable to define service "main"`)
		d.main = nil // under a guard
	}
	bus.Reserve(o.maxClients)
	poller.Reserve(o.maxClients + spawn.Spawners + 1)
	world := &controller.World{
		Bus: bus, Clock: d.clock, Poller: poller, Log: d.log, Duties: duties,
		Ledger: ledger, Services: d.services, Handles: d.handles, Grown: o.bounded(),
	}
	d.socket = controller.NewSocket(world)
	world.Socket = d.socket
	if d.main != nil {
		world.ConfigEnded = d.main.setUp
	}
	duties.Undo = d.socket.Undo
	d.table = controller.NewTable(world, o.maxClients)
	d.socket.Serve(d.table)
	services.Controls = d.table

	d.openControllers(call)
	if o.mlockall {
		d.lockMemory()
	}
	return d
}

// openControllers makes the controllers that the options ask for.
func (d *daemon) openControllers(call *handle.Call) {
	o := d.options
	if o.hasSocket && !d.socket.Open(o.socket) {
		d.duties.Refuse(mainthread.ExitEnvironment, "Can't create controller socket")
	}
	if o.interactive {
		d.handles.StandInNull(call, "stdin", "stdout")
		if !d.table.Interactive(banner()) {
			d.duties.Refuse(mainthread.ExitEnvironment, "stdin/stdout are not usable!")
		}
	}
	d.reading = o.config != "" && d.openConfig(call)
	if o.config != "" && !d.reading {
		d.duties.Refuse(mainthread.ExitEnvironment, "Unable to process config file")
	}
}

func (d *daemon) openConfig(call *handle.Call) bool {
	path := d.options.config
	if path != configStdin {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		if err != nil {
			d.log.Entry(logger.Error).Str(`Failed to open config file "`).Str(path).
				Str(`": `).Str(protocol.Strerror(errnoOf(err))).Send()
			return false
		}
		return d.table.Config(fd)
	}
	if d.options.interactive {
		d.log.Line(logger.Error, "stdin not available")
		return false
	}
	d.handles.StandInNull(call, "stdin")
	return d.table.ConfigStdin()
}

// lockMemory locks what the program uses, page by page as it is used. Without
// MCL_ONFAULT, which Linux has since 4.4, everything that the runtime has mapped
// becomes resident: 42 MB instead of 4.
func (d *daemon) lockMemory() {
	const all, onFault = unix.MCL_CURRENT | unix.MCL_FUTURE, 4
	err := unix.Mlockall(all | onFault)
	if err == unix.EINVAL {
		d.log.Line(logger.Warning, "mlockall: the kernel has no MCL_ONFAULT, so unused memory is locked too")
		err = unix.Mlockall(all)
	}
	if err != nil {
		d.log.Entry(logger.Error).Str("mlockall: ").Str(protocol.Strerror(errnoOf(err))).Send()
	}
}

// toBackground is the switch of -D, in the process that the launcher waits for.
func (d *daemon) toBackground(mark *daemonized) {
	if mark == nil {
		if d.options.daemonize {
			d.log.Line(logger.Warning, daemonizeIgnored)
		}
		return
	}
	if errno := becomeDaemon(); errno != 0 {
		d.duties.Refuse(mainthread.ExitEnvironment, "setsid: "+protocol.Strerror(errno))
	}
	// What was said so far is for the terminal that is left behind.
	d.log.Flush(setupFlush)
	if errno := mark.ready(d.options.config == configStdin); errno != 0 {
		d.log.Entry(logger.Warning).Str("Can't open /dev/null: ").Str(protocol.Strerror(errno)).Send()
	}
}

// traceEvent shows each event line once in the log.
func (d *daemon) traceEvent(line []byte) {
	d.log.Entry(logger.Debug).Str("event: ").Bytes(line[:len(line)-1]).Send()
}

func (d *daemon) childChanged() { d.reaper.ChildChanged() }

// signaled passes the arrival of a counted signal on.
func (d *daemon) signaled(s protocol.Signal) {
	d.table.Signaled()
	d.services.Arrived(s)
	if d.main != nil {
		d.main.signaled(s)
	}
}

// run lets everything go, and ends the program when an end was ordered.
func (d *daemon) run(mark *daemonized) {
	d.toBackground(mark)
	if !d.options.bounded() {
		d.keepThreads()
	}
	stop := make(chan struct{})
	var roots sync.WaitGroup
	for _, run := range []func(stop <-chan struct{}){d.clock.Run, d.receiver.Run, d.log.Run} {
		roots.Go(func() { run(stop) })
	}
	go d.poller.Run() // outlives the roots: it has the news of starts
	go d.reaper.Run() // outlives the roots: what was forked in the last moment is adopted
	go d.socket.Run() // outlives the roots if it hangs in a file system
	if d.main != nil {
		go d.main.run() // nobody waits for it
	}
	if d.options.bounded() {
		d.seal()
	}
	d.table.Begin()
	if !d.options.bounded() {
		time.AfterFunc(calm, func() { actor.Attempt(stockUp) })
		if d.options.hasSocket {
			time.AfterFunc(calm, func() { actor.Attempt(d.table.StockUp) })
		}
		// A little later, so that what that uses is forgotten, too.
		time.AfterFunc(calm+calm/4, func() { actor.Attempt(func() { forgetSetUp(d.options.mlockall) }) })
	}
	if d.main != nil && !d.reading {
		d.main.setUp()
	}
	<-d.duties.Ordered()
	d.spawners.Close()
	close(stop)
	roots.Wait()
	d.socket.Stop(socketPatience)
	// Nobody but this thread is needed any more; connections that still work on
	// a command are not waited for.
	d.table.Drain(actor.Monotonic() + actor.Second)
	d.spawners.Drain(forkPatience)
	d.duties.Leave(d.duties.Ending())
}
