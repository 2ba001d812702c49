package main

import (
	"strings"
	"testing"

	"daemonproxy/controller/client"
)

// populated is a daemon with a service in every state.
func populated(t *testing.T) *daemon {
	d := startDaemon(t)
	d.send(
		"fd.pipe|log.r|log.w",
		"service.args|web|/bin/sleep|100", "service.tags|web|role=front|x", "service.auto_up|web|5|always|USR1",
		"service.args|job|/bin/sh|-c|exit 4", "service.start|job",
		"service.args|killed|/bin/sh|-c|kill -TERM $$", "service.start|killed",
		"service.tags|never|evil \x1b[31m|a<b&c", "service.fds|never",
	)
	d.await("web", client.Up)
	d.await("job", client.Down)
	d.await("killed", client.Down)
	return d
}

// Every command's text and JSON, with what varies replaced.
func TestGolden(t *testing.T) {
	d := populated(t)
	for _, g := range []struct{ file, args string }{
		{"status", "status"},
		{"status.json", "status --json"},
		{"status-named", "status web job"},
		{"status-up", "status web"},
		{"status-tag", "status --tag role --json"},
		{"status-tag-value", "status --tag role=front --tag x"},
		{"status-tag-missing", "status --tag role=back"},
		{"status-missing", "status web nix"},
		{"events", "events"},
		{"events.json", "events --json"},
		{"send", "send service.args fresh /bin/sleep 100"},
		{"send-echo", "send echo a  b"},
		{"send-echo-error", "send echo error x"},
		{"send-warning", "send service.fds warned null nix"},
		{"send-refused", "send service.start nix"},
		{"log-level", "log-level"},
		{"log-level-set", "log-level warning"},
		{"log-level-down", "log-level -"},
		{"log-level-refused", "log-level loud"},
		{"start", "start fresh"},
		{"start-already", "start fresh"},
		{"start-bad", "start never"},
		{"start-missing", "start nix fresh"},
		{"signal", "signal 0 web fresh"},
		{"signal-name", "signal usr9 web"},
		{"signal-down", "signal 0 job web"},
		{"stop", "stop web fresh"},
		{"stop-again", "stop web"},
		{"status-stopped", "status web"},
		{"status-stopped.json", "status web --json"},
		{"start-restores", "start web"},
		{"restart", "restart web fresh"},
		{"wait", "wait web fresh --timeout 30s"},
		{"wait-time", "wait --for down web nix --timeout 10ms"},
		{"wait-goal", "wait --for sideways web"},
		{"usage", "status --bogus"},
		{"usage-command", "stauts"},
		{"usage-none", "stop"},
		{"usage-arguments", "log-level a b"},
		{"usage-help", "help stauts"},
		{"usage-completion", "completion tcsh"},
		{"usage-timeout", "wait web --timeout -1s"},
		{"help", "--help"},
	} {
		d.dpctl(strings.Split(g.args, " ")...).golden(t, g.file)
	}
}

// Values that could steer a terminal do not reach it through tables.
func TestTablesDoNotSteerTerminals(t *testing.T) {
	d := startDaemon(t)
	d.send("service.tags|x|\x1b]0;title\a")
	if r := d.dpctl("status"); strings.ContainsAny(r.out, "\x1b\a") {
		t.Errorf("the table has %q", r.out)
	}
}
