package model

import (
	"strings"
)

// handle is what a name stands for, besides its line: that is in its journal.
type handle struct {
	peer  string // the other end of a pipe, "" if it is none or that end is gone
	flags string // of a pipe's end
}

var constants = map[string]bool{"null": true, "control.cmd": true, "control.event": true, "control.socket": true}

// handleName reads a name that is to be made, replaced or deleted.
func handleName(a *arguments) (name, fault string) {
	name, _ = a.next()
	switch {
	case name == "":
		return "", "Expected file descriptor name"
	case !legal(name):
		return "", "Invalid file descriptor name"
	case constants[name]:
		return "", "File descriptor cannot be altered"
	}
	return name, ""
}

// room counts the free places of the pool.
func (m *Model) room() int {
	if m.Handles == 0 {
		return 1 << 30
	}
	return m.Handles - len(m.handles)
}

// described is a description as it is shown.
func (m *Model) described(text string) string {
	if m.Handles > 0 && len(text) > m.HandleBytes {
		return text[:m.HandleBytes] + "..."
	}
	return text
}

// install makes name a handle that is shown so, with the news for the one that it leaves alone.
func (m *Model) install(name string, h *handle, line string) effect {
	e := effect{chains: [][]string{{"fd.state\t" + name + "\t" + line}}}
	widowed := m.widow(name)
	if widowed != "" {
		e.chains = append(e.chains, []string{m.alone(widowed)})
	}
	e.do = func() {
		if widowed != "" {
			m.handles[widowed].peer = ""
		}
		m.handles[name] = h
	}
	return e
}

// widow is the handle that the end of another leaves alone.
func (m *Model) widow(name string) string {
	if h := m.handles[name]; h != nil {
		return h.peer
	}
	return ""
}

func (m *Model) alone(name string) string {
	return "fd.state\t" + name + "\tpipe\t" + m.handles[name].flags + "\t?"
}

// single wraps what makes one handle: in a full pool a new name is refused, and one that exists may be.
func (m *Model) single(name string, mayNeedRoom bool, e effect) []effect {
	refused := effect{fault: "Unable to allocate new file descriptor object"}
	switch {
	case m.room() > 0:
		return []effect{e}
	case m.handles[name] == nil:
		return []effect{refused}
	case mayNeedRoom:
		return []effect{e, refused}
	}
	return []effect{e}
}

func fdPipe(c *Conn, a *arguments) []effect {
	m := c.model
	read, fault := handleName(a)
	var write string
	if fault == "" {
		write, fault = handleName(a)
	}
	if fault == "" && read == write {
		fault = "read and write names must differ"
	}
	list, _ := a.next()
	var f socketFlags
	if fault == "" {
		f, fault = pipeFlags(list)
	}
	switch {
	case fault != "":
		return []effect{{fault: fault}}
	case f.socket && f.domain() != "unix":
		return []effect{{fault: "socketpair() failed: Operation not supported"}}
	}
	prefix, from := "", "from"
	if f.socket {
		prefix, from = f.domain()+","+f.kind()+",", "to"
	}
	if f.nonblock {
		prefix += "nonblock,"
	}
	reader, writer := &handle{write, prefix + from}, &handle{read, prefix + "to"}
	e := effect{chains: [][]string{{
		"fd.state\t" + read + "\tpipe\t" + reader.flags + "\t" + write, "fd.state\t" + write + "\tpipe\t" + writer.flags + "\t" + read,
	}}}
	var widowed []string
	for _, name := range []string{read, write} {
		if w := m.widow(name); w != "" && w != read && w != write {
			widowed = append(widowed, w)
			e.chains = append(e.chains, []string{m.alone(w)})
		}
	}
	e.do = func() {
		for _, w := range widowed {
			m.handles[w].peer = ""
		}
		m.handles[read], m.handles[write] = reader, writer
	}
	return m.paired(read, write, e)
}

// paired is single for two handles.
func (m *Model) paired(read, write string, e effect) []effect {
	missing := 0
	for _, name := range []string{read, write} {
		if m.handles[name] == nil {
			missing++
		}
	}
	refused := effect{fault: "failed to create pipe"}
	switch room := m.room(); {
	case room < missing:
		return []effect{refused}
	case room < 2:
		return []effect{e, refused}
	}
	return []effect{e}
}

func fdOpen(c *Conn, a *arguments) []effect {
	m := c.model
	name, fault := handleName(a)
	flags, hasFlags := a.next()
	path, hasPath := a.next()
	switch {
	case fault != "":
	case !hasFlags:
		fault = "missing flags argument"
	case !hasPath:
		fault = "missing path argument"
	case a.more:
		fault = "unexpected argument after path"
	}
	var f map[string]bool
	if fault == "" {
		f, fault = openFlags(flags)
	}
	if fault != "" {
		return []effect{{fault: fault}}
	}
	e := m.install(name, &handle{}, "file\t"+shownOpenFlags(f)+"\t"+m.described(path))
	files := m.files.clone()
	if f["mkdir"] {
		files.mkdirs(path)
	}
	if errno := files.open(path, f); errno != "" {
		e = effect{fault: "open failed: " + errno}
	}
	return m.single(name, true, also(e, func() { m.files = files }))
}

// also adds to what an effect changes.
func also(e effect, more func()) effect {
	first := e.do
	e.do = func() {
		if first != nil {
			first()
		}
		more()
	}
	return e
}

func fdSocket(c *Conn, a *arguments) []effect {
	m := c.model
	name, fault := handleName(a)
	if fault != "" {
		return []effect{{fault: fault}}
	}
	list, ok := a.next()
	if !ok {
		return []effect{{fault: "missing flags argument"}}
	}
	f, fault := parseSocketFlags(list)
	if fault != "" {
		return []effect{{fault: fault}}
	}
	address, given := a.next()
	switch {
	case given && !validAddress(f.domain(), address):
		fault = "invalid address"
	case !given && f.bind:
		fault = "expected address argument"
	case a.more:
		fault = "unexpected argument after address"
	}
	if fault != "" {
		return []effect{{fault: fault}}
	}
	f.bind = f.bind || given
	files := m.files.clone()
	e := m.install(name, &handle{}, "socket\t"+f.shown()+"\t"+m.described(address))
	if text := f.make(files, address); text != "" {
		e = effect{fault: text}
	}
	return m.single(name, false, also(e, func() { m.files = files }))
}

func fdTake(c *Conn, a *arguments) []effect {
	if len(c.passed) == 0 {
		return []effect{{fault: "No ancillary file descriptor received"}}
	}
	shown := c.passed[0]
	consume := func() { c.passed = c.passed[1:] }
	name, fault := handleName(a)
	if fault != "" {
		return []effect{{fault: fault, do: consume}}
	}
	effects := c.model.single(name, false, c.model.install(name, &handle{}, shown+"\tunknown"))
	for i, e := range effects {
		effects[i] = also(e, consume)
	}
	return effects
}

func fdDelete(c *Conn, a *arguments) []effect {
	m := c.model
	name, fault := handleName(a)
	switch {
	case fault != "":
		return []effect{{fault: fault}}
	case m.handles[name] == nil:
		return []effect{{fault: "No such file descriptor"}}
	}
	e := effect{chains: [][]string{{"fd.state\t" + name + "\tdeleted"}}}
	widowed := m.widow(name)
	if widowed != "" {
		e.chains[0] = append(e.chains[0], m.alone(widowed))
	}
	e.do = func() {
		if widowed != "" {
			m.handles[widowed].peer = ""
		}
		delete(m.handles, name)
	}
	return []effect{e}
}

// split lists the items of a comma list that are not empty.
func split(list string) (items []string) {
	for _, item := range strings.Split(list, ",") {
		if item != "" {
			items = append(items, item)
		}
	}
	return items
}
