package main

import "fmt"

// measureRoundTrip is one command at a time, each answered before the next. The floor is a bare goroutine that sends
// back what it reads.
func measureRoundTrip(b *bench) []row {
	const trips = 1000
	var floor, ours, socket samples
	echo, d := b.spawn("/proc/self/exe", "role-echo"), b.start("-S", b.socketPath())
	client := connect(b.socketPath())
	client.sync()
	for range b.rounds(20) {
		echo.trips(&floor, trips)
		d.trips(&ours, trips)
		client.trips(&socket, trips)
	}
	return []row{
		{figure: "round trip of an echo, on stdin and stdout", unit: "µs", floor: floor, ours: ours, target: timesFloor(1.5)},
		{figure: "round trip of an echo, on the control socket", unit: "µs", floor: floor, ours: socket, target: timesFloor(1.5)},
	}
}

func (c *conn) trips(s *samples, n int) {
	for range n {
		sent := now()
		c.send(echoLine)
		c.line()
		s.add(micros(sent, c.read))
	}
}

// measureBroadcast is one event for 16 connections, up to the return of the last of 16 reads.
func measureBroadcast(b *bench) []row {
	const connections, events = 16, 200
	var last, use samples
	d := b.start("-S", b.socketPath(), "--max-clients", fmt.Sprint(connections))
	conns := []*conn{d.conn}
	for len(conns) < connections {
		c := connect(b.socketPath())
		c.sync()
		conns = append(conns, c)
	}
	for range b.rounds(20) {
		used := cpu(d.pid())
		for range events {
			sent := now()
			d.send("service.tags\ts\tx\n")
			for _, c := range conns {
				c.line()
			}
			last.add(micros(sent, now()))
		}
		use.add(micros(used, cpu(d.pid())) / events)
	}
	return []row{
		{figure: "broadcast to 16 connections: command to the last of them", unit: "µs", ours: last},
		{figure: "processor time per broadcast to 16 connections", unit: "µs", ours: use},
	}
}

// measureStatedump of many services, five lines each.
func measureStatedump(b *bench) []row {
	services := b.many()
	var took, rate samples
	d := b.start()
	d.define(b.programs.stamp, 0, services, -1)
	for range b.rounds(10) {
		began, lines := now(), 0
		d.send("statedump\necho\tend of it\n")
		for string(d.line()) != "end of it" {
			lines++
		}
		took.add(micros(began, d.read) / 1e3)
		rate.add(float64(lines) / seconds(began, d.read))
	}
	return []row{
		{figure: fmt.Sprintf("statedump of %s services", thousands(fmt.Sprint(services))), unit: "ms", ours: took},
		{figure: "lines of that statedump", unit: "1/s", ours: rate, rate: true},
	}
}
