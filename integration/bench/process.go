package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func processors() int { return runtime.NumCPU() }

// cpu is the processor time in ns that a process has used, user and system, its ended threads included. The clock of a
// process has its number in the id (clock_getcpuclockid(3)).
func cpu(pid int) int64 {
	var ts unix.Timespec
	check(unix.ClockGettime(int32(^pid<<3|2), &ts))
	return ts.Nano()
}

// memory of a process, in bytes.
type memory struct {
	rss, anonymous, pss, mapped int64
	threads                     int
}

// file is what is resident of files, the program's own above all.
func (m memory) file() int64 { return m.rss - m.anonymous }

func memoryOf(pid int) (m memory) {
	rollup := procText(pid, "smaps_rollup")
	m.rss = field(rollup, "Rss:") << 10
	m.anonymous = field(rollup, "Anonymous:") << 10
	m.pss = field(rollup, "Pss:") << 10
	pages, err := strconv.ParseInt(strings.Fields(procText(pid, "statm"))[0], 10, 64)
	check(err)
	m.mapped = pages * int64(os.Getpagesize())
	m.threads = int(field(procText(pid, "status"), "Threads:"))
	return m
}

// switches is how often the threads of a process gave up or lost a processor.
func switches(pid int) (n int64) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	check(err)
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		check(err)
		n += field(string(text), "voluntary_ctxt_switches:") + field(string(text), "nonvoluntary_ctxt_switches:")
	}
	return n
}

func procText(pid int, name string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	check(err)
	return string(text)
}

// field is the number that follows a key at the beginning of a line.
func field(text, key string) int64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			check(err)
			return n
		}
	}
	panic(key + " is missing in /proc")
}
