package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// fleet is how many services each supervisor is given. runsvdir takes no more.
const fleet = 1_000

// peer is a supervisor that keeps a fleet running: daemonproxy, or another one.
type peer struct {
	name    string
	prepare func(b *bench, dir string) (command []string)
}

// peers get what each of them needs to start a service again whatever its end, and no logging.
var peers = []peer{
	{"daemonproxy", func(b *bench, dir string) []string {
		return []string{b.daemon, "-c", b.list(dir, "services.conf", "", func(i int) string {
			return fmt.Sprintf("service.args\ts%d\t%s\t%s\nservice.auto_up\ts%d\t1\talways\n", i, b.programs.stamp, b.orderByPath(i), i)
		})}
	}},
	{"runit", func(b *bench, dir string) []string {
		b.scripts(dir)
		return []string{"runsvdir", dir}
	}},
	{"s6", func(b *bench, dir string) []string {
		b.scripts(dir)
		return []string{"s6-svscan", "-c", strconv.Itoa(fleet + 1), dir}
	}},
	{"supervisord", func(b *bench, dir string) []string {
		head := "[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\nsilent=true\nminfds=8192\npidfile=" + dir + "/pid\n"
		return []string{"supervisord", "-c", b.list(dir, "supervisord.conf", head, func(i int) string {
			return fmt.Sprintf("[program:s%d]\ncommand=%s %s\nautorestart=true\nstartsecs=0\nstdout_logfile=/dev/null\nstderr_logfile=/dev/null\n",
				i, b.programs.stamp, b.orderByPath(i))
		})}
	}},
}

// orderByPath is for services whose supervisor passes no descriptor on. They wait to be killed.
func (b *bench) orderByPath(slot int) string { return fmt.Sprintf("%s:%d:-1", b.slots.path(), slot) }

// list writes a file with an entry for each service.
func (b *bench) list(dir, name, head string, entry func(i int) string) (path string) {
	var text strings.Builder
	text.WriteString(head)
	for i := range fleet {
		text.WriteString(entry(i))
	}
	path = filepath.Join(dir, name)
	check(os.WriteFile(path, []byte(text.String()), 0o600))
	return path
}

// scripts makes a directory with a program "run" for each service. No shell is in between.
func (b *bench) scripts(dir string) {
	for i := range fleet {
		service := filepath.Join(dir, fmt.Sprint("s", i))
		check(os.Mkdir(service, 0o700))
		check(os.WriteFile(filepath.Join(service, "run"), []byte("#!"+b.programs.stamp+" "+b.orderByPath(i)+"\n"), 0o700))
	}
}

// comparison is one figure of all supervisors: by name, and what is asked of daemonproxy.
type comparison struct {
	figure  string
	samples map[string]samples
	target  string
	met     func(median func(name string) float64) bool
}

func (c *comparison) add(name string, v float64) { c.samples[name] = append(c.samples[name], v) }

// measurePeers takes turns, so that noise meets all.
func measurePeers(b *bench, chosen *regexp.Regexp) {
	memory := comparison{"memory of the supervisor (Pss, all its processes) at 1,000 services, MB", map[string]samples{},
		"≤ 7.2 MB", func(of func(string) float64) bool { return of("daemonproxy") <= 7.2 }}
	running := comparison{"exec to all 1,000 services running, ms", map[string]samples{},
		"≤ 0.5 × runit", func(of func(string) float64) bool { return of("daemonproxy") <= 0.5*of("runit") }}
	replaced := comparison{"SIGKILL to a service to its next first instruction, ms", map[string]samples{},
		"≤ 1 × runit", func(of func(string) float64) bool { return of("daemonproxy") <= of("runit") }}
	entry := comparison{"entrypoint: exec to first instruction of the program, ms", map[string]samples{},
		"≤ 2.5 × tini", func(of func(string) float64) bool { return of("daemonproxy") <= 2.5*of("tini") }}
	var all []comparison
	for range b.rounds(5) {
		for _, p := range peers {
			if chosen.MatchString("fleet " + p.name) {
				fmt.Fprintln(os.Stderr, "measuring", p.name)
				b.runFleet(p, &memory, &running, &replaced)
			}
		}
	}
	if len(memory.samples) > 0 {
		all = append(all, memory, running, replaced)
	}
	if chosen.MatchString("entrypoint") {
		program := []string{b.programs.stamp, b.orderByPath(0)}
		for range b.rounds(50) {
			entry.add("bare exec", b.execTime(program[0], program[1]))
			entry.add("tini", b.execTime("tini", append([]string{"-s", "--"}, program...)...))
			entry.add("daemonproxy", b.execTime(b.daemon, append([]string{"--"}, program...)...))
		}
		all = append(all, entry)
	}
	printMachine()
	printComparisons(all)
}

// printComparisons in Markdown, a column for each supervisor.
func printComparisons(all []comparison) {
	columns := []string{"daemonproxy", "runit", "s6", "supervisord", "tini", "bare exec"}
	fmt.Printf("| figure (median) | %s | target | met |\n|---|%s---|---|\n", strings.Join(columns, " | "), strings.Repeat("---:|", len(columns)))
	for _, c := range all {
		fmt.Printf("| %s |", c.figure)
		for _, name := range columns {
			if s := c.samples[name]; len(s) > 0 {
				fmt.Printf(" %s |", number(s.median()))
			} else {
				fmt.Print(" |")
			}
		}
		met := "no"
		if c.met(func(name string) float64 { return c.samples[name].median() }) {
			met = "yes"
		}
		fmt.Printf(" %s | %s |\n", c.target, met)
	}
}

// runFleet has one supervisor run it.
func (b *bench) runFleet(p peer, memory, running, replaced *comparison) {
	dir, err := os.MkdirTemp(b.programs.dir, p.name)
	check(err)
	defer os.RemoveAll(dir)
	b.slots.clear()
	c := b.spawn(b.programs.floor, append([]string{"exec", "3", strconv.Itoa(fleet)}, p.prepare(b, dir)...)...)
	services := b.slots.all[:fleet]
	for i := range services {
		services[i].await(1)
	}
	last := slices.MaxFunc(services, func(a, b slot) int { return cmp.Compare(a.begun.ns(), b.begun.ns()) })
	running.add(p.name, micros(b.slots.all[fleet].before.ns(), last.begun.ns())/1e3)

	time.Sleep(2 * time.Second) // all of them wait for a second between two runs of a service
	pss := int64(0)
	for _, pid := range append(descendants(c.pid()), c.pid()) {
		if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); exe != b.programs.stamp {
			pss += memoryOf(pid).pss
		}
	}
	memory.add(p.name, float64(pss)/MB)

	for i := 0; i < fleet; i += fleet / 20 {
		s := &services[i]
		runs, killed := s.count(), now()
		check(unix.Kill(int(s.pid), unix.SIGKILL))
		s.await(runs + 1)
		replaced.add(p.name, micros(killed, s.begun.ns())/1e3)
	}
	stopAll()
}
