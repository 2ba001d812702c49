package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// In a real bash, TAB completes commands, services, handles, tags and signals, as they are at that moment.
func TestCompletionInBash(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|webserver|/bin/true", "service.tags|webserver|role=front", "fd.pipe|logread|logwrite")
	rc := filepath.Join(t.TempDir(), "rc")
	script := "PATH=" + binaries + ":$PATH\n. /usr/share/bash-completion/bash_completion\n. <(dpctl completion bash)\n" +
		"bind 'set bell-style none'\nbind 'set enable-bracketed-paste off'\nPS1='$ '\n"
	if err := os.WriteFile(rc, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(d.ctx, "bash", "--rcfile", rc, "-i")
	cmd.Env = append(os.Environ(), "DAEMONPROXY_SOCKET="+d.socket, "TERM=dumb", "HISTFILE=")
	term := d.onTerminal(cmd)
	term.await("$ ")
	for _, typed := range []struct{ keys, completed string }{
		{"dpctl sta\t", "dpctl sta"},
		{"dpctl rest\t", "dpctl restart "},
		{"dpctl stop webs\t", "dpctl stop webserver "},
		{"dpctl send fd.del\t", "dpctl send fd.delete "},
		{"dpctl send fd.delete logr\t", "dpctl send fd.delete logread "},
		{"dpctl send service.fds webs\t", "dpctl send service.fds webserver "},
		{"dpctl send service.fds webserver - logw\t", "dpctl send service.fds webserver - logwrite "},
		{"dpctl status --tag role=f\t", "dpctl status --tag role=front "},
		{"dpctl wait --for del\t", "dpctl wait --for deleted "},
		{"dpctl signal WIN\t", "dpctl signal WINCH "},
		{"dpctl log-level war\t", "dpctl log-level warning "},
	} {
		term.write(typed.keys)
		term.await(typed.completed)
		term.write("\x15echo done-$((1+1))\r") // away with the line, and on
		term.await("done-2")
		term.await("$ ")
	}
}

// What the shells ask for, by cobra's own command.
func TestCandidates(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|web|/bin/true", "service.args|web2|/bin/true", "service.tags|web|role=front|plain")
	for _, asked := range []struct {
		words string
		want  []string
	}{
		{"start ", []string{"web", "web2"}},
		{"start web ", []string{"web2"}},
		{"status --tag ", []string{"plain", "role", "role=front"}},
		{"signal HUP web2 ", []string{"web"}},
		{"send service.start ", []string{"web", "web2"}},
		{"send log.dest fd std", []string{"stderr", "stdin", "stdout"}},
		{"log-level ", []string{"none", "trace", "debug", "info", "warning", "error", "fatal"}},
	} {
		r := d.dpctl(append([]string{"__completeNoDesc"}, strings.Split(asked.words, " ")...)...)
		lines := strings.Split(strings.TrimSpace(r.out), "\n")
		if got := lines[:len(lines)-1]; !slices.Equal(got, asked.want) { // the last is cobra's directive
			t.Errorf("%q: got %q, want %q", asked.words, got, asked.want)
		}
	}
}

// Without a daemon there is nothing to offer, and no error in the middle of somebody's command line.
func TestCompletionWithoutDaemon(t *testing.T) {
	cmd := exec.Command(dpctlBinary, "__completeNoDesc", "-S", "/nowhere", "start", "")
	if r := runCommand(t, cmd); r.status != 0 || !strings.HasPrefix(r.out, ":4") || strings.Contains(r.err, "cannot") {
		t.Errorf("%+v", r)
	}
}

// There is a script for each shell.
func TestCompletionScripts(t *testing.T) {
	for shell, text := range map[string]string{"bash": "complete -o default", "zsh": "#compdef dpctl", "fish": "complete -c dpctl"} {
		runCommand(t, exec.Command(dpctlBinary, "completion", shell)).expect(t, exitDone, text)
	}
}
