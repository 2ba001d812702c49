package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// row is one figure of the table.
type row struct {
	figure string
	unit   string
	floor  samples // empty if nothing barer does the same
	ours   samples
	rate   bool // more is better: the bad end of the samples is the low one
	target target
}

// target is what a figure has to reach; the zero value is none.
type target struct {
	text string
	met  func(row) bool
}

// ratio of the medians: ours to the floor.
func (r row) ratio() float64 { return r.ours.median() / r.floor.median() }

// tail is the percentile that 99 of 100 samples are better than.
func (r row) tail(s samples) float64 {
	if r.rate {
		return s.quantile(0.01)
	}
	return s.quantile(0.99)
}

func atMost(limit float64, text string) target {
	return target{"≤ " + text, func(r row) bool { return r.ours.median() <= limit }}
}

func atLeast(limit float64, text string) target {
	return target{"≥ " + text, func(r row) bool { return r.ours.median() >= limit }}
}

func timesFloor(limit float64) target {
	return target{fmt.Sprintf("≤ %g × floor", limit), func(r row) bool { return r.ratio() <= limit }}
}

func timesFloorAtLeast(limit float64) target {
	return target{fmt.Sprintf("≥ %g × floor", limit), func(r row) bool { return r.ratio() >= limit }}
}

// andTail adds a bound of the 99th percentile, relative to that of the floor.
func (t target) andTail(limit float64) target {
	return target{fmt.Sprintf("%s, p99 ≤ %g × its p99", t.text, limit), func(r row) bool {
		return t.met(r) && r.tail(r.ours) <= limit*r.tail(r.floor)
	}}
}

// printTable in Markdown. A rate's p99 is its slow end.
func printTable(rows []row) {
	fmt.Println("| figure | floor p50 | floor p99 | p50 | p99 | ratio | target | met |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---|---|")
	for _, r := range rows {
		ratio, met := "", ""
		if len(r.floor) > 0 && r.floor.median() != 0 {
			ratio = fmt.Sprintf("%.2f", r.ratio())
		}
		if r.target.met != nil {
			met = "no"
			if r.target.met(r) {
				met = "yes"
			}
		}
		fmt.Printf("| %s, %s | %s | %s | %s | %s | %s | %s | %s |\n", r.figure, r.unit,
			r.cell(r.floor, r.floor.median()), r.cell(r.floor, r.tail(r.floor)),
			r.cell(r.ours, r.ours.median()), r.cell(r.ours, r.tail(r.ours)), ratio, r.target.text, met)
	}
}

// cell is empty where nothing was measured.
func (r row) cell(s samples, v float64) string {
	if len(s) == 0 {
		return ""
	}
	return number(v)
}

// number with three digits that count.
func number(v float64) string {
	switch {
	case v >= 100:
		return thousands(fmt.Sprintf("%.0f", v))
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v == 0:
		return "0"
	}
	return fmt.Sprintf("%.2f", v)
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// printMachine says where and when.
func printMachine() {
	var name unix.Utsname
	check(unix.Uname(&name))
	model := "unknown processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Printf("%s, Linux %s, %s, %s, %d processors, load %.4s when done.\n\n", time.Now().Format(time.DateOnly),
		unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Machine[:]), model, processors(), load)
}
