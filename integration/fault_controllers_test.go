package integration

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Controllers that die at whatever byte they have got to.

// careless invents the life of a controller that changes a few things, which are everybody's.
type careless struct{ *rand.Rand }

func (c careless) pick(from ...string) string { return from[c.IntN(len(from))] }

func (c careless) command() string {
	s, h := c.pick("s0", "s1", "s2", "S3"), c.pick("h0", "h1", "h2", "H3")
	return c.pick("service.tags\t"+s+"\ta\tb", "service.args\t"+s+"\t/bin/true", "service.args\t"+s+"\t/bin/sleep\t1000",
		"service.start\t"+s, "service.start\t"+s+"\t-", "service.signal\t"+s+"\tKILL", "service.auto_up\t"+s+"\t1000\talways",
		"service.auto_up\t"+s+"\t-", "service.fds\t"+s+"\tnull\t"+h, "service.fds\t"+s+"\tcontrol.event\tcontrol.cmd", "service.delete\t"+s,
		"fd.pipe\t"+h+"\t"+c.pick("h0", "h1", "h2", "H3"), "fd.open\t"+h+"\tread\t/dev/null", "fd.socket\t"+h+"\tunix,dgram",
		"fd.delete\t"+h, "statedump", "echo\tsome text", "bogus", "exit", strings.Repeat("x", 5000))
}

// script is what such a controller would say if it lived long enough: its first word is answered with 300 bytes or more:
// seven handles are always there.
func (c careless) script() string {
	var script strings.Builder
	script.WriteString("statedump\n")
	for range c.IntN(12) {
		script.WriteString(c.command() + "\n")
	}
	return script.String()
}

// visit is one short life: how much of the script is written, in how large pieces, and how much is read before the end.
type visit struct {
	script             string
	write, piece, read int
}

func (c careless) visit() visit {
	v := visit{script: c.script()}
	v.write = c.IntN(len(v.script) + 1)
	v.piece = 1 + c.IntN(v.write+1)
	if v.write >= len("statedump\n") && c.IntN(2) == 0 {
		v.read = c.IntN(300)
	}
	return v
}

// happens connects, writes, reads and closes. That the daemon hangs up in between is part of it: the script says exit.
func (v visit) happens(path string) error {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for at := 0; at < v.write; at += v.piece {
		if _, err := io.WriteString(conn, v.script[at:min(at+v.piece, v.write)]); err != nil {
			break
		}
	}
	if _, err := io.ReadFull(conn, make([]byte, v.read)); err != nil {
		return fmt.Errorf("after %d bytes of %q: %w", v.write, v.script, err)
	}
	return nil
}

// sameAsDump requires that what a controller was told of is what there is. Nobody commands any more; what happens by
// itself comes to its end.
func (d *daemon) sameAsDump(t *testing.T, c *controller, known picture) {
	t.Helper()
	var wrong []string
	d.eventually("a picture that is true", func() bool {
		known.applyAll(t, c.until(c.mark()))
		truth := picture{}
		truth.applyAll(t, d.i.ask("statedump"))
		known.applyAll(t, c.until(c.mark()))
		wrong = known.differences(truth)
		return len(wrong) == 0 || time.Until(d.limit) < time.Second
	})
	if len(wrong) > 0 {
		t.Errorf("%s knows %s", c.name, strings.Join(wrong, "\n"))
	}
}

// TestClientsThatDieAnywhere: three thousand clients, six at a time, close their connections after as many bytes as
// chance wills. One that watches misses nothing, all slots serve again, and nothing is left over.
func TestClientsThatDieAnywhere(t *testing.T) {
	t.Parallel()
	random := careless{rand.New(rand.NewPCG(seedFor(t), 1))}
	const slots = 8
	d := setup{args: []string{"-i", "-S", "{dir}/ctl", "--max-clients", fmt.Sprint(slots)}}.start(t)
	d.i.send("log.filter⇥fatal")
	watch := d.client("watch")
	known := picture{}
	known.applyAll(t, watch.ask("statedump"))
	for range 100 {
		var batch sync.WaitGroup
		for range slots - 2 {
			lives := []visit{random.visit(), random.visit(), random.visit(), random.visit(), random.visit()}
			batch.Go(func() {
				for _, v := range lives {
					if err := v.happens(d.controlSocket()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		batch.Wait()
		known.applyAll(t, watch.until(watch.mark()))
		d.i.skip()
		watch.seen, d.i.seen = nil, nil
		if t.Failed() {
			return
		}
	}
	d.quiet()
	d.sameAsDump(t, watch, known)
	var clients []*controller
	for n := range slots - 2 {
		clients = append(clients, d.client(fmt.Sprintf("c%d", n)))
	}
	for _, c := range clients {
		c.sync()
	}
}

// quiet ends what the careless have started.
func (d *daemon) quiet() {
	d.t.Helper()
	for again := true; again; {
		again = false
		for name, state := range d.i.services() {
			d.i.send("service.auto_up⇥"+name+"⇥-", "service.start⇥"+name+"⇥-")
			if state[2] == "up" || state[2] == "start" {
				d.i.send("service.signal⇥" + name + "⇥KILL")
				again = true
			}
		}
	}
	d.i.skip()
}

// TestControllerServicesThatDieAnywhere: a thousand lives of controller services, eight at a time. Each writes a part of
// a script, reads some bytes of what it is told and kills itself. Of every life the start and the end are told, once
// each, and nothing is left over.
func TestControllerServicesThatDieAnywhere(t *testing.T) {
	t.Parallel()
	random := careless{rand.New(rand.NewPCG(seedFor(t), 2))}
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	d.i.send("log.filter⇥fatal")
	watch := d.client("watch")
	known := picture{}
	known.applyAll(t, watch.ask("statedump"))
	const together = 8
	for n := range together {
		fds := []string{"control.socket\tcontrol.socket", "control.event\tcontrol.cmd", "control.event\tnull", "null\tcontrol.cmd"}[n%4]
		d.i.raw(fmt.Sprintf("service.fds\tmortal%d\t%s\tnull\n", n, fds))
	}
	for range 125 {
		var commands strings.Builder
		for n := range together {
			script := random.script()
			script = script[:random.IntN(len(script)+1)]
			read := "" // its own `up` is there to be read
			if n%4 != 3 && random.IntN(2) == 0 {
				read = fmt.Sprintf("head -c %d >/dev/null; ", random.IntN(40))
			}
			escaped := strings.NewReplacer("\t", `\t`, "\n", `\n`).Replace(script)
			if len(escaped) > 3500 {
				escaped = escaped[:3500]
			}
			fmt.Fprintf(&commands, "service.args\tmortal%d\t/bin/sh\t-c\tprintf %%b '%s'; %skill -9 $$\n", n, escaped, read)
			fmt.Fprintf(&commands, "service.start\tmortal%d\n", n)
		}
		d.i.raw(commands.String())
		var lines []string
		for missing := together; missing > 0; {
			line, err := watch.next(d.limit)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, line)
			if watch.vars.match("service.state⇥mortal{int}⇥down⇥{now}⇥{pid}⇥signal⇥SIGKILL⇥{int}⇥0", line) {
				missing--
			}
		}
		ups := slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
			return !watch.vars.match("service.state⇥mortal{int}⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-", line)
		})
		if len(ups) != together {
			t.Fatalf("%d lives began: %q", len(ups), ups)
		}
		known.applyAll(t, lines)
		d.i.skip()
		watch.seen, d.i.seen = nil, nil
	}
	d.quiet()
	d.sameAsDump(t, watch, known)
}
