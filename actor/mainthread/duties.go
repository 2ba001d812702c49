package mainthread

import (
	"sync/atomic"
	"syscall"
	"time"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"
)

// TerminatedNormally is the text of an end that nothing went wrong before.
const TerminatedNormally = "terminated normally"

// Exit numbers of fatal ends (docs/protocol.md, Exit status).
const (
	ExitNothingToDo = 1
	ExitBadOptions  = 2
	ExitEnvironment = 3
	ExitBrokenState = 4
	ExitImpossible  = 5
)

const (
	// flushAtExit is how long an end waits for the destination of the log.
	flushAtExit = time.Second
	// linesPerFlush lines about services fit into the log's buffer.
	linesPerFlush = 32
)

// Duties is one per program. Its fields are set before any goroutine but the
// main one runs.
type Duties struct {
	Log     *logger.Log
	Environ []string
	// Kept calls keep for every descriptor of a named handle. It is called on
	// the fatal path too.
	Kept func(keep func(fd int))
	// Undo removes what set-up leaves in the file system, for Refuse.
	Undo func()

	Guard    atomic.Int64 // 0 = none
	Args     ExecArgs
	Running  Running
	Terminal Terminal

	flushUntil atomic.Int64
	closed     atomic.Bool
	settled    atomic.Bool // no service starts any more, though commands may go on
	ordered    chan struct{}
	end        End
}

// End is an ordered end of the program.
type End struct {
	Code int64
	Text string
}

// New returns duties without guard and exec arguments.
func New(log *logger.Log, environ []string) *Duties {
	return &Duties{Log: log, Environ: environ, ordered: make(chan struct{}), Kept: func(func(int)) {}, Undo: func() {}}
}

// Open tells whether commands may begin: it is the gate that Terminate closes.
func (d *Duties) Open() bool { return !d.closed.Load() }

// Starts tells whether services may start.
func (d *Duties) Starts() bool { return !d.settled.Load() && d.Open() }

// CloseStarts lets no service start any more, while commands go on.
func (d *Duties) CloseStarts() { d.settled.Store(true) }

// Terminate closes the gate and orders the end of the program. The first order
// counts.
func (d *Duties) Terminate(code int64, text string) {
	if d.closed.CompareAndSwap(false, true) {
		d.order(End{code, text})
	}
}

// EndSession follows the end of the interactive session, which ends the
// program unless it is guarded. It has nothing to say about an end that has
// been ordered already, and whose last words may have been logged.
func (d *Duties) EndSession() {
	switch {
	case !d.Open():
	case d.Guard.Load() != 0:
		d.Log.Line(logger.Warning, "interactive session ended, but not exiting due to terminate-guard")
	case d.closed.CompareAndSwap(false, true):
		d.Log.Line(logger.Info, "interactive session ended")
		d.order(End{0, TerminatedNormally})
	}
}

// order is for whoever has closed the gate.
func (d *Duties) order(end End) {
	d.end = end
	close(d.ordered)
}

// Ordered is closed once the end was ordered; Ending says which.
func (d *Duties) Ordered() <-chan struct{} { return d.ordered }

// Ending returns the ordered end.
func (d *Duties) Ending() End { return d.end }

// Leave ends the program in order, through exec-on-exit if it is configured.
// Only the main thread calls it, and it does not return.
func (d *Duties) Leave(end End) {
	if d.exec(end.Code, end.Text) {
		d.afterFailedExec(end.Code, end.Text)
	}
	d.Log.Line(logger.Info, "daemonproxy exiting")
	d.logRunning()
	d.exit(end.Code)
}

// Refuse is Fatal for a program that can't be set up: what
// set-up has made is removed.
func (d *Duties) Refuse(code int64, text string) {
	if d.Guard.Load() == 0 || d.Args.Configured() {
		d.Undo()
	}
	d.Fatal(code, text)
}

// Fatal logs the text and ends the program, through exec-on-exit if it is
// configured, from whichever goroutine. It returns only if there is a guard
// and nothing to exec.
func (d *Duties) Fatal(code int64, text string) {
	if d.exec(code, text) {
		d.afterFailedExec(code, text)
	}
	d.logFatal(text)
	if d.Guard.Load() != 0 {
		return
	}
	d.logRunning()
	d.exit(code)
}

// Quit ends the program without a word, through exec-on-exit if it is
// configured: after help and version.
func (d *Duties) Quit(code int64) {
	d.exec(code, "")
	d.exit(code)
}

// logFatal logs the text as what ends the program, or would but for the guard.
func (d *Duties) logFatal(text string) {
	prefix := ""
	if d.Guard.Load() != 0 {
		prefix = "(attempting to continue) "
	}
	d.Log.Entry(logger.Fatal).Str(prefix).Str(text).Send()
}

func (d *Duties) afterFailedExec(code int64, text string) {
	d.logFatal(text)
	if d.Guard.Load() != 0 {
		d.Log.Line(logger.Info, "daemonproxy exiting")
	}
	d.exit(code)
}

func (d *Duties) logRunning() {
	for i, s := range d.Running.list() {
		if i%linesPerFlush == 0 {
			d.flush()
		}
		d.Log.Entry(logger.Warning).Str("service '").Str(s.name).
			Str("' running as pid ").Int(int64(s.pid)).Send()
	}
}

// flush waits for the destination of the log, at most flushAtExit for all the
// flushes of one end.
func (d *Duties) flush() {
	now := actor.Monotonic()
	d.flushUntil.CompareAndSwap(0, now+int64(flushAtExit))
	if left := d.flushUntil.Load() - now; left > 0 {
		d.Log.FlushFatal(time.Duration(left))
	}
}

func (d *Duties) exit(code int64) {
	d.Terminal.TakeBack()
	d.flush()
	syscall.Exit(int(code & 0xff))
}

// FatalSignal is Fatal for a signal that was sent to the program.
func (d *Duties) FatalSignal(s protocol.Signal, num int) {
	text := append([]byte("Received signal "), s.String()...)
	text = append(text, " ("...)
	text = protocol.AppendInt(text, int64(num))
	d.Fatal(ExitBrokenState, string(append(text, ')')))
}

// InternalError is Fatal for a panic.
func (d *Duties) InternalError(text string) {
	d.Fatal(ExitBrokenState, "internal error: "+text)
}
