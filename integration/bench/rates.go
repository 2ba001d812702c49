package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// oneShots is how many services end at once in measureStarts.
const oneShots = 300

// measureStarts has many services that end at once, all started together. The floor is a Go program that starts and
// waits for one after the other; and once more two of them at a time, which show what a second processor is worth.
func measureStarts(b *bench) []row {
	var floorRate, pairRate, ourRate, floorCPU, ourCPU samples
	d := b.start()
	d.define(b.programs.stamp, 0, oneShots, 0)
	floor := b.spawn("/proc/self/exe", "role-start", strconv.Itoa(oneShots), b.programs.stamp)
	second := b.spawn("/proc/self/exe", "role-start", strconv.Itoa(oneShots), b.programs.stamp)
	var all strings.Builder
	for i := range oneShots {
		fmt.Fprintf(&all, "service.start\ts%d\n", i)
	}
	for range b.rounds(20) {
		began, used := now(), cpu(floor.pid())
		floor.send("\n")
		floor.line()
		floorRate.add(oneShots / seconds(began, floor.read))
		floorCPU.add(micros(used, cpu(floor.pid())) / oneShots)

		began = now()
		floor.send("\n")
		second.send("\n")
		floor.line()
		second.line()
		pairRate.add(2 * oneShots / seconds(began, max(floor.read, second.read)))

		began, used = now(), cpu(d.pid())
		d.send(all.String())
		for down := 0; down < oneShots; {
			if bytes.Contains(d.line(), []byte("\tdown\t")) {
				down++
			}
		}
		ourRate.add(oneShots / seconds(began, d.read))
		ourCPU.add(micros(used, cpu(d.pid())) / oneShots)
	}
	return []row{
		{figure: "starts of 300 one-shot services", unit: "1/s", floor: floorRate, ours: ourRate, rate: true, target: timesFloorAtLeast(1.5)},
		{figure: "the same; floor: two such loops at once, together", unit: "1/s", floor: pairRate, ours: ourRate, rate: true},
		{figure: "processor time per start", unit: "µs", floor: floorCPU, ours: ourCPU},
	}
}

func seconds(from, to int64) float64 { return float64(to-from) / 1e9 }

// pipelined sends a text over and over without waiting, and returns lines per second of wall time, and the child's
// processor time in µs per line.
func (c *child) pipelined(text string, lines int) (rate, use float64) {
	each := strings.Count(text, "\n")
	block := strings.Repeat(text, 32<<10/len(text))
	blocks := max(1, lines/(each*strings.Count(block, "\n")/each))
	sent := make(chan struct{})
	used, began := cpu(c.pid()), now()
	go func() {
		defer close(sent)
		for range blocks {
			c.send(block)
		}
		c.command("echo", "end of the batch")
	}()
	for last := []byte("end of the batch\n"); ; {
		c.fill()
		if bytes.HasSuffix(c.buf[:c.to], last) {
			break
		}
		c.from = max(0, c.to-len(last)) // the rest is of no interest
	}
	c.from = c.to
	<-sent
	n := float64(blocks * strings.Count(block, "\n"))
	return n / seconds(began, c.read), micros(used, cpu(c.pid())) / n
}

const echoLine = "echo\t0123456789\n"

// measureEcho beside the barest programs that do the same: one that answers a read at a time, as daemonproxy does, and
// one that answers a line at a time.
func measureEcho(b *bench) []row {
	var readRate, lineRate, ourRate, readCPU, lineCPU, ourCPU samples
	d, byRead, byLine := b.start(), b.spawn(b.programs.echo), b.spawn(b.programs.echo, "line")
	for range b.rounds(20) {
		for _, turn := range []struct {
			*child
			rate, use *samples
		}{{byRead, &readRate, &readCPU}, {byLine, &lineRate, &lineCPU}, {d, &ourRate, &ourCPU}} {
			rate, use := turn.pipelined(echoLine, 200_000)
			turn.rate.add(rate)
			turn.use.add(use)
		}
	}
	return []row{
		{figure: "echo, pipelined; floor: a loop that answers a read at a time", unit: "1/s", floor: readRate, ours: ourRate, rate: true,
			target: atLeast(600_000, "600,000")},
		{figure: "processor time per echo; the same floor", unit: "µs", floor: readCPU, ours: ourCPU, target: timesFloor(2)},
		{figure: "echo, pipelined; floor: a loop that answers a line at a time", unit: "1/s", floor: lineRate, ours: ourRate, rate: true},
		{figure: "processor time per echo; the same floor", unit: "µs", floor: lineCPU, ours: ourCPU},
	}
}

// measureCommands are those that change something, and that every controller is told of.
func measureCommands(b *bench) (rows []row) {
	d := b.start()
	for _, c := range []struct {
		figure string
		text   string
		lines  int
		target target
	}{
		{"service.args, pipelined", "service.args\ts\t/bin/true\t0123456789\n", 200_000, atLeast(400_000, "400,000")},
		{"fd.pipe onto itself, pipelined", "fd.pipe\ta\tb\n", 50_000, atLeast(100_000, "100,000")},
		{"fd.pipe, fd.delete, fd.delete, pipelined: commands", "fd.pipe\ta\tb\nfd.delete\ta\nfd.delete\tb\n", 100_000, atLeast(100_000, "100,000")},
	} {
		var rate, use samples
		for range b.rounds(20) {
			r, u := d.pipelined(c.text, c.lines)
			rate.add(r)
			use.add(u)
		}
		rows = append(rows,
			row{figure: c.figure, unit: "1/s", ours: rate, rate: true, target: c.target},
			row{figure: "processor time of it, per command", unit: "µs", ours: use})
	}
	return rows
}
