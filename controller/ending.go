package controller

import (
	"daemonproxy/actor/mainthread"
	"daemonproxy/controller/protocol"
)

func terminateExecArgs(c *Conn, cmd *protocol.Command) (ok protocol.Error) {
	c.world.Duties.Args.Set(cmd.Value)
	return ok
}

func terminateGuard(c *Conn, cmd *protocol.Command) (ok protocol.Error) {
	guard := &c.world.Duties.Guard
	if cmd.Plus {
		if !guard.CompareAndSwap(0, cmd.Code) {
			return protocol.Error{Code: protocol.GuardAlreadySet}
		}
		return ok
	}
	if guard.Load() == 0 {
		return protocol.Error{Code: protocol.GuardNotSet}
	}
	if !guard.CompareAndSwap(cmd.Code, 0) {
		return protocol.Error{Code: protocol.GuardIncorrect}
	}
	return ok
}

func terminate(c *Conn, cmd *protocol.Command) (ok protocol.Error) {
	if guard := c.world.Duties.Guard.Load(); guard != 0 {
		switch {
		case !cmd.HasGuard:
			return protocol.Error{Code: protocol.TerminateGuardRequired}
		case cmd.Guard != guard:
			return protocol.Error{Code: protocol.TerminateGuardIncorrect}
		case !c.world.Duties.Args.Configured():
			return protocol.Error{Code: protocol.CannotExit}
		}
	}
	c.world.Duties.Terminate(cmd.Code, mainthread.TerminatedNormally)
	return ok
}
