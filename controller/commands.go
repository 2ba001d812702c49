package controller

import (
	"unsafe"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// commands is what each verb does, once protocol.Parse found no fault in its
// line. Connections run them on their own goroutines.
var commands = [...]func(*Conn, *protocol.Command) protocol.Error{
	protocol.Echo:              echo,
	protocol.Statedump:         statedump,
	protocol.Exit:              exit,
	protocol.Chdir:             chdir,
	protocol.ServiceTags:       serviceSet,
	protocol.ServiceArgs:       serviceSet,
	protocol.ServiceFDs:        serviceFDs,
	protocol.ServiceAutoUp:     serviceAutoUp,
	protocol.ServiceStart:      serviceStart,
	protocol.ServiceSignal:     serviceSignal,
	protocol.ServiceDelete:     serviceDelete,
	protocol.SocketCreate:      socketCreate,
	protocol.SocketDelete:      socketDelete,
	protocol.FDPipe:            fdPipe,
	protocol.FDOpen:            fdOpen,
	protocol.FDSocket:          fdSocket,
	protocol.FDTake:            fdTake,
	protocol.FDDelete:          fdDelete,
	protocol.LogFilter:         logFilter,
	protocol.LogDest:           logDest,
	protocol.ConnEventTimeout:  connEventTimeout,
	protocol.SignalClear:       signalClear,
	protocol.TerminateExecArgs: terminateExecArgs,
	protocol.TerminateGuard:    terminateGuard,
	protocol.Terminate:         terminate,
	protocol.Memory:            memory,
}

// execute carries out one line and answers with an error if it fails.
func (c *Conn) execute(line []byte, kind protocol.LineKind) {
	if c.world.Log.Enabled(logger.Debug) {
		c.world.Log.Entry(logger.Debug).Str("controller[").Int(int64(c.number)).Str("] command: ").Bytes(line).Send()
	}
	switch kind {
	case protocol.TooLong:
		c.reject(protocol.LineTooLong, "] command exceeds buffer size")
		return
	case protocol.HasNUL:
		c.reject(protocol.LineNUL, "] line contains NUL")
		return
	}
	protocol.Parse(line, &c.command)
	c.underWay = line
	err := c.perform(&c.command)
	c.underWay = nil
	if err.Code != protocol.OK {
		c.fail(err, line)
	}
}

// perform runs the command.
func (c *Conn) perform(cmd *protocol.Command) protocol.Error {
	if cmd.Verb != protocol.Echo {
		c.sendKept()
	}
	switch {
	case cmd.Verb == protocol.FDTake: // which looks for a descriptor first
	case cmd.Named && cmd.Err.Code != protocol.OK && mustExist(cmd.Verb) && !c.world.Services.Exists(cmd.Name):
		return protocol.Error{Code: protocol.NoSuchService}
	case cmd.Err.Code != protocol.OK:
		return cmd.Err
	}
	return commands[cmd.Verb](c, cmd)
}

// mustExist tells whether the verb's service must exist, which ranks before
// errors in later arguments.
func mustExist(v protocol.Verb) bool {
	return v == protocol.ServiceStart || v == protocol.ServiceSignal || v == protocol.ServiceDelete
}

// reject answers a line that is no command.
func (c *Conn) reject(code protocol.Code, logged string) {
	c.world.Log.Entry(logger.Error).Str("controller[").Int(int64(c.number)).Str(logged).Send()
	c.answerError(protocol.Error{Code: code}, nil)
}

func (c *Conn) fail(err protocol.Error, line []byte) {
	c.logFailure(err, line)
	c.answerError(err, line)
}

func (c *Conn) answerError(err protocol.Error, line []byte) {
	l := actor.NewLine()
	defer l.Free()
	c.send(protocol.AppendError(l.B, err, line))
}

func (c *Conn) logFailure(err protocol.Error, line []byte) {
	if err.Code == protocol.UnknownCommand {
		c.world.Log.Entry(logger.Error).Str("controller[").Int(int64(c.number)).
			Str("] sent unknown command ").Bytes(err.Arg).Send()
		return
	}
	l := actor.NewLine()
	defer l.Free()
	l.B = protocol.AppendLogQuote(l.B, line)
	c.world.Log.Entry(logger.Error).Str("controller[").Int(int64(c.number)).
		Str("] command failed: ").Bytes(l.B).Send()
	l.B = err.Append(l.B[:0])
	c.world.Log.Entry(logger.Error).Str("  with error: '").Bytes(l.B).Str("'").Send()
}

// send puts an answer into the connection's own outbox.
func (c *Conn) send(line []byte) {
	c.sendKept()
	if c.outbox.Writable() {
		c.trace(line)
		c.outbox.Offer(line)
	}
}

// sendKept sends the answers of echoes: those that follow each other go together. Nothing that a command after them
// causes, and no answer of another one, may come before them.
func (c *Conn) sendKept() {
	if c.lines.Kept() > 0 {
		c.outbox.Offer(c.lines.TakeKept())
	}
}

// trace shows an event line in the log.
func (c *Conn) trace(line []byte) {
	if c.world.Log.Enabled(logger.Debug) {
		c.world.Log.Entry(logger.Debug).Str("controller[").Int(int64(c.number)).Str("] event: ").Bytes(line[:len(line)-1]).Send()
	}
}

func echo(c *Conn, cmd *protocol.Command) (ok protocol.Error) {
	if !cmd.HasValue || len(cmd.Value) == 0 {
		return ok
	}
	provoke(cmd.Value)
	if !c.outbox.Writable() {
		return ok
	}
	if n := len(cmd.Value); cap(cmd.Value) > n {
		answer := cmd.Value[:n+1] // with the LF that it came with
		c.trace(answer)
		c.lines.Keep(answer)
		return ok
	}
	l := actor.NewLine()
	defer l.Free()
	c.send(protocol.AppendEcho(l.B, cmd.Value))
	return ok
}

// exit ends the connection once its answers were sent; what else it has
// written is discarded.
func exit(c *Conn, _ *protocol.Command) (ok protocol.Error) {
	c.finish()
	return ok
}

func chdir(c *Conn, cmd *protocol.Command) (ok protocol.Error) {
	defer actor.Over()
	if !actor.MayLast() {
		return protocol.Error{Code: protocol.ChdirFailed, Errno: uint16(unix.EAGAIN)}
	}
	n := copy(c.path[:protocol.MaxLine-1], cmd.Path)
	c.path[n] = 0
	_, _, errno := unix.Syscall(unix.SYS_CHDIR, uintptr(unsafe.Pointer(&c.path[0])), 0, 0)
	if errno != 0 {
		return protocol.Error{Code: protocol.ChdirFailed, Errno: uint16(errno)}
	}
	return ok
}

func serviceSet(c *Conn, cmd *protocol.Command) protocol.Error {
	return c.world.Services.Set(c.services, cmd)
}

// serviceFDs warns of handles that do not exist, and stores the list all the
// same.
func serviceFDs(c *Conn, cmd *protocol.Command) protocol.Error {
	for rest, more := cmd.Value, cmd.HasValue; more; {
		var name []byte
		name, rest, more = protocol.NextField(rest)
		if string(name) == "-" || c.world.Handles.Exists(name) {
			continue
		}
		if c.awaitRoom(false) {
			c.warnNotDefined(name)
		}
	}
	return c.world.Services.Set(c.services, cmd)
}

func (c *Conn) warnNotDefined(name []byte) {
	l := actor.NewLine()
	defer l.Free()
	c.send(protocol.AppendNotDefined(l.B, name))
}

func serviceAutoUp(c *Conn, cmd *protocol.Command) protocol.Error {
	return c.world.Services.AutoUp(c.services, cmd)
}

func serviceStart(c *Conn, cmd *protocol.Command) protocol.Error {
	return c.world.Services.Start(c.services, cmd)
}

func serviceSignal(c *Conn, cmd *protocol.Command) protocol.Error {
	return c.world.Services.Signal(c.services, cmd)
}

func serviceDelete(c *Conn, cmd *protocol.Command) protocol.Error {
	return c.world.Services.Delete(c.services, cmd)
}

func fdPipe(c *Conn, cmd *protocol.Command) protocol.Error {
	return c.world.Handles.Pipe(c.handles, cmd)
}

// fdOpen sends what has gathered first, since opening a FIFO may take for
// ever.
func fdOpen(c *Conn, cmd *protocol.Command) protocol.Error {
	defer actor.Over()
	if !actor.MayLast() {
		return protocol.Error{Code: protocol.OpenFailed, Errno: uint16(unix.EAGAIN)}
	}
	c.outbox.Uncork()
	defer c.outbox.Cork()
	return c.world.Handles.Open(c.handles, cmd)
}

func fdSocket(c *Conn, cmd *protocol.Command) protocol.Error {
	defer actor.Over()
	if !actor.MayLast() {
		return protocol.Error{Code: protocol.SocketFailed, Errno: uint16(unix.EAGAIN)}
	}
	return c.world.Handles.Socket(c.handles, cmd)
}

func fdTake(c *Conn, cmd *protocol.Command) protocol.Error {
	fd, ok := c.passed.take()
	switch {
	case !ok, fd < 0:
		return protocol.Error{Code: protocol.NothingQueued}
	case cmd.Err.Code != protocol.OK:
		unix.Close(fd)
		return cmd.Err
	}
	return c.world.Handles.Take(c.handles, cmd.Name, fd)
}

func fdDelete(c *Conn, cmd *protocol.Command) protocol.Error {
	return c.world.Handles.Delete(c.handles, cmd.Name)
}

func logFilter(c *Conn, cmd *protocol.Command) (ok protocol.Error) {
	level := cmd.LevelSet.Apply(protocol.Level(c.world.Log.Filter()), cmd.Level)
	c.world.Log.SetFilter(logger.Level(level))
	l := actor.NewLine()
	defer l.Free()
	c.send(protocol.AppendLogFilter(l.B, level))
	return ok
}

func logDest(c *Conn, cmd *protocol.Command) (ok protocol.Error) {
	if !c.world.Handles.BindLog(c.handles, cmd.Name) {
		l := actor.NewLine()
		defer l.Free()
		c.send(protocol.AppendNotExist(l.B, cmd.Name))
	}
	return ok
}

func connEventTimeout(c *Conn, cmd *protocol.Command) (ok protocol.Error) {
	c.reset, c.close = cmd.Reset, cmd.Close
	return ok
}

func signalClear(c *Conn, cmd *protocol.Command) (ok protocol.Error) {
	c.world.Ledger.Clear(cmd.Signal, cmd.Count)
	return ok
}

func socketCreate(c *Conn, cmd *protocol.Command) protocol.Error {
	return c.world.Socket.Create(&c.control, cmd)
}

func socketDelete(c *Conn, _ *protocol.Command) (ok protocol.Error) {
	c.world.Socket.Delete(&c.control)
	return ok
}
