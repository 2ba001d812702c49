package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func writeConfig(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "daemonproxy.conf")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "|", "\t")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func checkFiles(t *testing.T, stdin string, files ...string) result {
	t.Helper()
	cmd := exec.Command(dpctlBinary, append([]string{"check"}, files...)...)
	cmd.Stdin = strings.NewReader(strings.ReplaceAll(stdin, "|", "\t"))
	return runCommand(t, cmd)
}

func TestCheckOfGoodConfigs(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/*.conf")
	if err != nil || len(files) < 5 {
		t.Fatalf("the examples have %d configs (%v)", len(files), err)
	}
	if r := checkFiles(t, "", files...); r != (result{}) {
		t.Errorf("%+v", r)
	}
}

func TestCheckSaysWhere(t *testing.T) {
	bad := writeConfig(t, "service.args|a|x\nservice.args b y\n")
	r := checkFiles(t, "nix\x1b|\n", bad, "/nix/there", "-")
	want := bad + ":2: Unknown command: service.args b y; fields are separated by single TABs, and here are spaces\n" +
		"stdin:1: Unknown command: nix\\x1b\n"
	if r.out != want {
		t.Errorf("it says\n%swant\n%s", r.out, want)
	}
	r.expect(t, exitFailed, "dpctl: open /nix/there: no such file or directory")
	checkFiles(t, "echo|a\n", "-").expect(t, exitDone)
	checkFiles(t, "").expect(t, exitUsage)
}

// What the real daemon refuses of a config, check finds: in the same order and with the same words, if not more.
func TestCheckAgreesWithTheDaemon(t *testing.T) {
	lines := strings.Split(strings.ReplaceAll(`nix
service.args
service.args|a b|x
service.start|nix
service.fds|a|x y
service.auto_up|a|x|always
service.auto_up|a|0|always
service.auto_up|a|1|never
service.args|a|/bin/true
service.signal|a|hup
service.signal|a|65
service.signal|a|HUP|everybody
service.start|a|soon
service.tags|b|t
service.start|b
service.delete|c
fd.pipe|p|p
fd.pipe|p|null
fd.pipe|p|q|shiny
fd.pipe|p|q|inet
fd.open|f
fd.open|f|read
fd.open|f|sync|/x
fd.open|f|read|/x|y
fd.open|f|read|
fd.socket|s|listen
fd.socket|s|listen=x|/x
fd.socket|s|tcp|*:99999
fd.take|t
fd.delete|f
log.filter|loud
log.dest
log.dest|file|x
conn.event_timeout|2|1
signal.clear|HUP
socket.create|mode=9|/x
socket.create|-
terminate.guard|1
terminate.guard|+|0
terminate|x
chdir
`, "|", "\t"), "\n")
	path := writeConfig(t, strings.Join(lines, "\n"))
	refused := daemonRefusals(t, path)
	problems, err := checkFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(refused) != len(lines)-3 {
		t.Errorf("the daemon refused %d of %d lines, of which two are good", len(refused), len(lines)-1)
	}
	if len(problems) != len(refused) {
		t.Errorf("check finds %d mistakes, the daemon %d", len(problems), len(refused))
	}
	for i, text := range refused {
		if i >= len(problems) || !strings.HasPrefix(problems[i].Text, text) {
			t.Fatalf("the daemon says %q where check finds %+v", text, problems[min(i, len(problems)):])
		}
	}
}

// daemonRefusals runs a config and gives the reasons of its refused commands, out of the log.
func daemonRefusals(t *testing.T, path string) (refused []string) {
	t.Helper()
	cmd := exec.Command(daemonBinary, "-c", path)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("terminate\t0\n"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for all := bufio.NewScanner(log); all.Scan(); {
		if _, text, ok := strings.Cut(all.Text(), " sent unknown command "); ok {
			refused = append(refused, "Unknown command: "+text)
		}
		if text, ok := strings.CutPrefix(all.Text(), "error:   with error: '"); ok {
			refused = append(refused, strings.TrimSuffix(text, "'"))
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("daemonproxy: %v", err)
	}
	return refused
}
