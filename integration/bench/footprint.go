package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxServices is the largest number of services that any figure has.
const maxServices = 10_000

// many is that number, or one that is quick.
func (b *bench) many() int {
	if b.quick {
		return maxServices / 10
	}
	return maxServices
}

const kB, MB = 1e3, 1e6

// measureSize is that of the file, beside a Go program that does nothing.
func measureSize(b *bench) []row {
	size := func(path string) samples {
		info, err := os.Stat(path)
		check(err)
		return constant(float64(info.Size()) / MB)
	}
	return []row{{figure: "binary, stripped and static", unit: "MB", floor: size(b.empty), ours: size(b.daemon), target: atMost(2.2, "2.2 MB")}}
}

// measureMemory at more and more services, defined and running, beside a Go program with as many parked goroutines.
func measureMemory(b *bench) (rows []row) {
	counts := []int{3, 100, 1_000, 10_000}
	if b.quick {
		counts = counts[:3]
	}
	type point struct{ parked, defined, running, anonymous, file, mapped, threads samples }
	points := make([]point, len(counts))
	var configured samples
	for range b.rounds(5) {
		configured.add(float64(b.configured(counts[0]).rss))
		b.slots.clear()
		d := b.start()
		d.rest()
		from := 0
		for i, n := range counts {
			p := &points[i]
			p.parked.add(float64(b.parked(n).rss))
			d.define(b.programs.stamp, from, n, -1)
			p.defined.add(float64(memoryOf(d.pid()).rss))
			from = n
		}
		stopAll()
		d = b.start()
		d.rest()
		from = 0
		for i, n := range counts {
			p := &points[i]
			d.define(b.programs.stamp, from, n, -1)
			d.run(from, n)
			m := memoryOf(d.pid())
			p.running.add(float64(m.rss))
			p.anonymous.add(float64(m.anonymous))
			p.file.add(float64(m.file()))
			p.mapped.add(float64(m.mapped))
			p.threads.add(float64(m.threads))
			from = n
		}
		stopAll()
	}
	for i, n := range counts {
		p, count := points[i], thousands(fmt.Sprint(n))
		var resident target
		if n == 3 {
			resident = atMost(2.6, "2.6 MB")
			rows = append(rows, row{figure: "resident, " + count + " services of a config running", unit: "MB", floor: p.parked.per(MB), ours: configured.per(MB), target: resident})
		}
		rows = append(rows,
			row{figure: "resident, " + count + " services defined", unit: "MB", floor: p.parked.per(MB), ours: p.defined.per(MB), target: resident},
			row{figure: "resident, " + count + " services running", unit: "MB", floor: p.parked.per(MB), ours: p.running.per(MB), target: resident},
			row{figure: "— of that anonymous", unit: "MB", ours: p.anonymous.per(MB)},
			row{figure: "— of that pages of files", unit: "MB", ours: p.file.per(MB)},
			row{figure: "— mapped, resident or not", unit: "MB", ours: p.mapped.per(MB)},
			row{figure: "— threads", unit: "number", ours: p.threads})
		if i < 2 {
			continue
		}
		q, more := points[i-1], float64(n-counts[i-1])
		each := fmt.Sprintf(", from %s to %s", thousands(fmt.Sprint(counts[i-1])), count)
		rows = append(rows,
			row{figure: "per defined service" + each, unit: "kB", floor: p.parked.slope(q.parked, more), ours: p.defined.slope(q.defined, more)},
			row{figure: "per running service" + each, unit: "kB", floor: p.parked.slope(q.parked, more), ours: p.running.slope(q.running, more),
				target: atMost(4.5, "4.5 kB")})
	}
	return rows
}

// per divides all samples.
func (s samples) per(unit float64) (scaled samples) {
	for _, v := range s {
		scaled.add(v / unit)
	}
	return scaled
}

// slope is how much more there is than before, round by round, in kB for each of n.
func (s samples) slope(before samples, n float64) (each samples) {
	for i := range s {
		each.add((s[i] - before[i]) / n / kB)
	}
	return each
}

// run starts services that stay.
func (c *child) run(from, to int) {
	for ; from < to; from++ {
		c.send(fmt.Sprintf("service.start\ts%d\n", from))
		for !bytes.Contains(c.line(), []byte("\tup\t")) {
		}
	}
}

// configured is the memory of a daemon whose config starts n services, after which nothing happens.
func (b *bench) configured(n int) memory {
	config := b.programs.dir + "/memory.conf"
	var text strings.Builder
	for i := range n {
		name := fmt.Sprintf("s%d", i)
		text.WriteString("service.args\t" + name + "\t" + b.programs.stamp + "\t" + order(3, i, -1) + "\n")
		text.WriteString("service.fds\t" + name + "\tnull\tnull\tnull\tfd_3\nservice.start\t" + name + "\n")
	}
	check(os.WriteFile(config, []byte(text.String()), 0o600))
	b.slots.clear()
	c := b.spawn(b.daemon, "-c", config)
	for i := range n {
		b.slots.all[i].await(1)
	}
	c.rest()
	defer stopAll()
	return memoryOf(c.pid())
}

// parked is the memory of a Go program with so many parked goroutines.
func (b *bench) parked(n int) memory {
	c := b.spawn(b.empty, fmt.Sprint(n))
	defer func() {
		c.stop()
		children = children[:len(children)-1]
	}()
	c.rest()
	return memoryOf(c.pid())
}

// rest waits until a process has not run for a while: longer than daemonproxy puts off what can wait until its first
// services run.
func (c *child) rest() {
	const while = 150 * time.Millisecond
	for before := int64(-1); before != switches(c.pid()); {
		before = switches(c.pid())
		time.Sleep(while)
	}
}

// measureHandles is what a named descriptor costs.
func measureHandles(b *bench) []row {
	handles := 5_000
	var limit unix.Rlimit
	check(unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	handles = min(handles, int(limit.Max)/2)
	var each samples
	for range b.rounds(5) {
		d := b.start()
		d.rest()
		before := memoryOf(d.pid()).rss
		for i := range handles {
			d.send(fmt.Sprintf("fd.open\th%d\tread\t/dev/null\n", i))
			d.line()
		}
		each.add(float64(memoryOf(d.pid()).rss-before) / float64(handles) / kB)
		stopAll()
	}
	return []row{{figure: fmt.Sprintf("per handle, of %s", thousands(fmt.Sprint(handles))), unit: "kB", ours: each}}
}

// measureIdle with services that run and do nothing either.
func measureIdle(b *bench) []row {
	duration := 30 * time.Second
	if b.quick {
		duration = 3 * time.Second
	}
	d := b.start()
	d.define(b.programs.stamp, 0, 3, -1)
	d.run(0, 3)
	d.rest()
	woken, used := switches(d.pid()), cpu(d.pid())
	time.Sleep(duration)
	return []row{
		{figure: "idle: context switches in " + duration.String(), unit: "number", ours: constant(float64(switches(d.pid()) - woken)), target: atMost(0, "0")},
		{figure: "idle: processor time in " + duration.String(), unit: "µs", ours: constant(micros(used, cpu(d.pid()))), target: atMost(0, "0")},
		{figure: "idle: threads", unit: "number", ours: constant(float64(memoryOf(d.pid()).threads)), target: atMost(6, "6")},
	}
}
