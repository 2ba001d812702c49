package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// hostilities is how many hostile clients stay at a time.
const hostilities = 6

// call connects somebody who is not to be in the report of a failure.
func (s *churn) call() *controller {
	c := s.dial("somebody")
	s.streams = s.streams[:2]
	s.clients = s.clients[:1]
	return c
}

// catchUp waits for the answer to a marker, which an overflow may swallow.
func catchUp(c *controller) {
	marker := c.mark()
	for {
		line, err := c.next(c.deadline())
		if err != nil {
			c.t.Fatal(err)
		}
		switch line {
		case "overflow":
			marker = c.mark()
		case marker:
			c.seen = nil
			return
		}
	}
}

// visitOnce sends all commands that there are, and reads the answers.
func (s *churn) visitOnce() {
	s.visits++
	c := s.call()
	c.raw(s.text(strings.ReplaceAll(soakBatch, "{n}", strconv.Itoa(s.rand.IntN(10)))))
	catchUp(c)
	c.close()
	s.settleCommands()
}

// fault lets one thing go wrong.
func (s *churn) fault() {
	s.faults++
	faults := []func(){
		s.exhaustDescriptors, s.leaveRudely, s.neverRead, s.sendNoise, s.passAndDie, s.removeSocket, s.freeze, s.fillLog,
	}
	faults[s.rand.IntN(len(faults))]()
	s.settleCommands()
}

// exhaustDescriptors holds all that the daemon may have while services start and end.
func (s *churn) exhaustDescriptors() {
	c := s.call()
	var open, shut strings.Builder
	for n := range 160 {
		fmt.Fprintf(&open, "fd.open\tx%d\tread\t/dev/null\n", n)
		fmt.Fprintf(&shut, "fd.delete\tx%d\n", n)
	}
	c.raw(open.String())
	catchUp(c)
	s.startSome()
	s.killSome()
	s.signalDaemon()
	c.raw(shut.String())
	catchUp(c)
	c.close()
}

// leaveRudely sends commands and is gone before their answers, within a line.
func (s *churn) leaveRudely() {
	c := s.call()
	c.raw(strings.Repeat("service.tags\tt1\tx\nstatedump\nservice.delete\tt1\n", 1+s.rand.IntN(50)) + "echo\thalf a li")
	c.close()
}

// neverRead asks for much and reads nothing; it is cut off after seconds, or at the next rest.
func (s *churn) neverRead() {
	if len(s.hostile) == hostilities {
		s.hostile[0].close()
		s.hostile = s.hostile[1:]
	}
	c := s.call()
	c.raw("conn.event_timeout\t1\t3\n" + strings.Repeat("statedump\n", 100))
	s.hostile = append(s.hostile, c)
}

func (s *churn) sendNoise() {
	noise := make([]byte, 1+s.rand.IntN(20000))
	for i := range noise {
		noise[i] = byte(s.rand.IntN(256))
	}
	c := s.call()
	c.raw("#" + string(noise)) // mostly one line, never a command
	if s.rand.IntN(2) == 0 {
		c.raw("\n")
		catchUp(c)
	}
	c.close()
}

// passAndDie leaves behind descriptors, sometimes more than are queued.
func (s *churn) passAndDie() {
	c := s.call()
	var files []*os.File
	for range 1 + s.rand.IntN(30) {
		files = append(files, s.words)
	}
	if s.rand.IntN(2) == 0 {
		c.pass("fd.take⇥taken", files...)
		c.send("fd.delete⇥taken")
		catchUp(c)
	} else {
		c.pass("#", files...)
	}
	c.close()
}

// removeSocket takes the file of the control socket away, and has it made again.
func (s *churn) removeSocket() {
	if err := os.Remove(s.controlSocket()); err != nil {
		s.t.Error(err)
	}
	s.main.send("socket.create⇥-⇥{dir}/ctl")
}

// freeze stops the daemon while services end and signals come.
func (s *churn) freeze() {
	s.signal("STOP")
	s.ledger.mu.Lock()
	for _, name := range s.sleepers() {
		e := s.ledger.services[name]
		e.kill = "KILL"
		if err := syscall.Kill(e.pid, syscall.SIGKILL); err != nil {
			s.ledger.complain("%s %d: %v", name, e.pid, err)
		}
	}
	s.ledger.mu.Unlock()
	s.sent["HUP"]++
	s.signals++
	s.signal("HUP")
	s.signal("CONT")
	s.until("SIGHUP", func() bool { return s.ledger.signals["SIGHUP"] == s.sent["HUP"] })
}

// fillLog has the log on a device that is full, for as long as a visitor makes errors.
func (s *churn) fillLog() {
	s.main.send("fd.open⇥full⇥write⇥/dev/full", "log.dest⇥fd⇥full")
	s.visitOnce()
	s.main.send("log.dest⇥fd⇥stderr", "fd.delete⇥full")
}
