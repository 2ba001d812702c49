package controller

import (
	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/actor/mainthread"
	"daemonproxy/actor/signals"
	"daemonproxy/handle"
	"daemonproxy/service"
)

// World is what connections act on. All of it is set before the first one.
type World struct {
	Bus      *actor.Bus
	Clock    *actor.Clock
	Poller   *actor.Poller
	Log      *logger.Log
	Duties   *mainthread.Duties
	Ledger   *signals.Ledger
	Services *service.Registry
	Handles  *handle.Registry
	Socket   *Socket
	Grown    bool // slots, and all that they will need, are made at once: a program that makes nothing later

	// ConfigEnded is offered the news that the config is over, if it is not nil.
	ConfigEnded func()
}
