package main

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"daemonproxy/controller/client"
)

// clockTick is the unit of /proc/PID/stat's times, on every architecture that Go runs on: 1/100 s (proc(5), sysconf(3)).
const clockTick = time.Second / 100

// usageOfRun is what a process used, as of two looks at it.
type usageOfRun struct {
	pid      int
	at       time.Time     // the last look
	used     time.Duration // processor time until then
	share    float64       // of one processor, between the looks
	measured bool          // there were two
	resident int64         // bytes
}

func (u *usageOfRun) percent() string {
	if !u.measured {
		return ""
	}
	return strconv.FormatFloat(100*u.share, 'f', 1, 64)
}

// measure looks at the processes of all services. Those that /proc does not show have no usage.
func (t *top) measure() {
	state := t.c.State()
	for name := range t.usage {
		if state.Services[name].State != client.Up {
			delete(t.usage, name)
		}
	}
	for name, service := range state.Services {
		if service.State != client.Up {
			continue
		}
		used, resident, ok := usageOf(service.PID)
		before := t.usage[name]
		if !ok {
			delete(t.usage, name)
			continue
		}
		now := &usageOfRun{pid: service.PID, at: time.Now(), used: used, resident: resident}
		if before != nil && before.pid == now.pid && now.at.After(before.at) {
			now.measured, now.share = true, float64(used-before.used)/float64(now.at.Sub(before.at))
		}
		t.usage[name] = now
	}
}

// usageOf reads /proc/PID/stat. The second field, the program's name, may contain anything and ends at the last ")".
func usageOf(pid int) (used time.Duration, resident int64, ok bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // from the third on
	const utime, stime, rss = 14 - 3, 15 - 3, 24 - 3
	if len(fields) <= rss {
		return 0, 0, false
	}
	numbers := [3]int64{}
	for i, at := range [3]int{utime, stime, rss} {
		if numbers[i], err = strconv.ParseInt(string(fields[at]), 10, 64); err != nil {
			return 0, 0, false
		}
	}
	return time.Duration(numbers[0]+numbers[1]) * clockTick, numbers[2] * int64(os.Getpagesize()), true
}
