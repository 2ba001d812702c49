package main

import (
	"os"
	"os/exec"
	"strconv"
)

// batch is how many services the floor and daemonproxy start in their turn.
const batch = 25

// wait is how long a service runs, in ms, so that its parent waits by then.
const wait = 2

// measureLatency is the way of a start and of an exit. The floor's are: before vfork to the first instruction, and last
// instruction to wait4's return. Ours: before the command is written to the first instruction, and last instruction
// to the return of the read that brings the event.
func measureLatency(b *bench) []row {
	var started, ended, restarted, ourStarted, ourEnded samples
	d := b.start()
	d.define(b.programs.stamp, 0, 1, wait)
	for range b.rounds(20) {
		b.floorLoop(&started, &ended, &restarted)
		s := &b.slots.all[0]
		for range batch {
			sent := now()
			d.send("service.start\ts0\n")
			d.until("service.state\ts0\tdown\t")
			ourStarted.add(micros(sent, s.begun.ns()))
			ourEnded.add(micros(s.ending.ns(), d.read))
		}
	}
	return []row{
		{figure: "start: command to first instruction", unit: "µs", floor: started, ours: ourStarted, target: timesFloor(1.25)},
		{figure: "exit: last instruction to event", unit: "µs", floor: ended, ours: ourEnded, target: timesFloor(2).andTail(4)},
	}
}

// floorLoop runs one batch of vfork, exec and wait4.
func (b *bench) floorLoop(started, ended, restarted *samples) {
	const first = 64
	cmd := exec.Command(b.programs.floor, "loop", "3", strconv.Itoa(first), strconv.Itoa(batch), b.programs.stamp, strconv.Itoa(wait))
	cmd.ExtraFiles = []*os.File{b.slots.file}
	check(cmd.Run())
	all := b.slots.all[first : first+batch]
	for i := range all {
		started.add(micros(all[i].before.ns(), all[i].begun.ns()))
		ended.add(micros(all[i].ending.ns(), all[i].after.ns()))
		if i > 0 {
			restarted.add(micros(all[i-1].ending.ns(), all[i].begun.ns()))
		}
	}
}

// measureRestart is an automatic restart of a service that has run for longer than its interval: from the last
// instruction of one run to the first of the next.
func measureRestart(b *bench) []row {
	var started, ended, restarted, ours samples
	d := b.start()
	d.define(b.programs.stamp, 0, 1, wait)
	s := &b.slots.all[0]
	for range b.rounds(20) {
		b.floorLoop(&started, &ended, &restarted)
		s.runs = 0
		d.send("service.auto_up\ts0\t-\talways\n")
		for run := range int64(batch) {
			d.until("service.state\ts0\tup\t")
			s.await(run + 1)
			if begun, previous := s.begun.ns(), s.ending.ns(); run > 0 && previous < begun && s.count() == run+1 {
				ours.add(micros(previous, begun))
			}
		}
		d.send("service.auto_up\ts0\t-\n")
		d.until("service.auto_up\ts0\t")
		d.until("service.state\ts0\tdown\t") // it is up, or about to be for the last time
		d.send("service.start\ts0\t-\n")
		d.sync()
	}
	return []row{{figure: "restart: last instruction to first", unit: "µs", floor: restarted, ours: ours}}
}

// measureBoot is from before the exec of daemonproxy to the first instruction of a service of its config. The floor is
// the exec of that service, and once more the exec of an empty Go program that becomes the service.
func measureBoot(b *bench) []row {
	config := b.programs.dir + "/boot.conf"
	text := "service.args\ts\t" + b.programs.stamp + "\t" + order(3, 0, -1) + "\nservice.fds\ts\tnull\tnull\tnull\tfd_3\nservice.start\ts\n"
	check(os.WriteFile(config, []byte(text), 0o600))
	var floor, floorOfGo, ours samples
	for range b.rounds(50) {
		floor.add(b.execTime(b.programs.stamp, order(3, 0, -1)))
		floorOfGo.add(b.execTime(b.empty, b.programs.stamp, order(3, 0, -1)))
		ours.add(b.execTime(b.daemon, "-c", config))
	}
	return []row{
		{figure: "boot: exec to first instruction of a service", unit: "ms", floor: floor, ours: ours, target: atMost(3, "3 ms")},
		{figure: "the same; floor: an empty Go program becomes it", unit: "ms", floor: floorOfGo, ours: ours},
	}
}

// execTime is in ms, from before the exec of a program to the first instruction of the service in slot 0.
func (b *bench) execTime(program string, args ...string) float64 {
	s := &b.slots.all[0]
	s.runs = 0
	b.spawn(b.programs.floor, append([]string{"exec", "3", "0", program}, args...)...)
	s.await(1)
	took := micros(s.before.ns(), s.begun.ns()) / 1e3
	stopAll()
	return took
}
