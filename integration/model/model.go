package model

import "slices"

// Options say how the daemon was started, and what the model can't know of the machine.
type Options struct {
	Services     int               // --service-pool NxM, 0 without
	ServiceBytes int               // M
	Handles      int               // --fd-pool NxM, 0 without
	HandleBytes  int               // M
	Dir          string            // an empty directory, where commands may make files
	Socket       string            // -S, below Dir
	Filter       string            // of the log
	Programs     map[string]string // how a program ends by itself, by service.args: "exit\t7", "" if it does not
}

// Clock bounds the time of what is told now: seconds of CLOCK_MONOTONIC before it was asked for and after it was read.
type Clock struct{ From, To int64 }

// Model is the state of one daemon.
type Model struct {
	Options
	conns    []*Conn
	services map[string]*service
	handles  map[string]*handle
	journals map[object][]entry
	ledger   []*arrivals
	files    files
	control  string // path of the control socket, "" if there is none
	filter   int    // index in levels
	guard    int64
	execArgs string

	clock         Clock
	arrived       Clock          // of the last signal
	pendingLately []uint64       // the sets of pending signals in this round, the latest last
	unsettled     bool           // several connections command at once
	announced     map[object]int // how far into each journal everybody must have been told in this round
}

// Conn is one connection, and how far it has heard.
type Conn struct {
	Name    string
	model   *Model
	at      map[object]int
	passed  []string // descriptions of descriptors, for fd.take
	signals []string // lines that it has still to be told
	joining bool     // it hears for the first time, from somewhere on
}

// New is a daemon that has just started.
func New(o Options) *Model {
	m := &Model{
		Options: o, services: map[string]*service{}, handles: map[string]*handle{}, journals: map[object][]entry{},
		files: newFiles(o.Dir), control: o.Socket, filter: slices.Index(levels, o.Filter), pendingLately: []uint64{0}, announced: map[object]int{},
	}
	for name, line := range map[string]string{
		"null": "special\tread,write\t/dev/null", "control.cmd": "special\twrite\tdaemonproxy command pipe",
		"control.event": "special\tread\tdaemonproxy event stream", "control.socket": "special\tread,write\tdaemonproxy control socket",
		"stdin": "file\tread\tunknown", "stdout": "file\twrite\tunknown", "stderr": "file\twrite\tunknown",
	} {
		m.handles[name] = &handle{}
		m.record(object("fd "+name), "fd.state\t"+name+"\t"+line, nil)
	}
	if o.Socket != "" {
		m.files[o.Socket] = socketFile
	}
	return m
}

// Join adds a connection. Its first round has to be a statedump.
func (m *Model) Join(name string) *Conn {
	c := &Conn{Name: name, model: m, at: map[object]int{}, joining: true}
	for o, journal := range m.journals {
		c.at[o] = len(journal)
	}
	for _, a := range m.ledger {
		if a.count > 0 {
			c.signals = append(c.signals, a.line())
		}
	}
	m.conns = append(m.conns, c)
	return c
}

// Leave takes a connection away.
func (m *Model) Leave(c *Conn) {
	m.conns = slices.DeleteFunc(m.conns, func(other *Conn) bool { return other == c })
}

// Guard is the code that terminate needs, 0 for none.
func (m *Model) Guard() int64 { return m.guard }

// ControlSocket is the path of the control socket, "" if there is none.
func (m *Model) ControlSocket() string { return m.control }
