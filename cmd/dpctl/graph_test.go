package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daemonproxy/controller/client"
)

// connectedServices is a daemon with one of everything that connects services.
func connectedServices(t *testing.T) *daemon {
	d := startDaemon(t)
	d.send(
		"fd.pipe|log.r|log.w", "fd.pipe|talk.b|talk.a|unix,dgram", "fd.pipe|gone|lonely.w", "fd.delete|gone",
		"fd.open|log|write,append|/dev/full", "fd.open|conf|read|/dev/zero",
		"chdir|"+d.dir, "fd.open|both|read,write,create|odd \"<&#\\n",
	)
	d.send(
		"fd.socket|web.sock|tcp,listen=7|127.0.0.1:0", "fd.socket|plain|unix",
		"service.args|web|/bin/sleep|100", "service.fds|web|null|log.w|log.w|web.sock|conf|talk.b|-",
		"service.args|logger|/bin/sleep|100", "service.fds|logger|log.r|log|stderr||talk.a", "service.start|logger",
		"service.args|boss|/bin/sleep|100", "service.fds|boss|control.event|control.cmd|stderr",
		"service.args|late|x", "service.fds|late|nix.r", "service.start|late|99999999999",
		"service.fds|bare",
	)
	d.await("logger", client.Up)
	t.Cleanup(func() { d.send("service.signal|logger|KILL"); d.await("logger", client.Down) }) // it holds the stderr of the daemon
	return d
}

func TestDescriptorsAndGraphGolden(t *testing.T) {
	d := connectedServices(t)
	for _, g := range []struct{ file, args string }{
		{"fds", "fds"},
		{"fds.json", "fds --json"},
		{"fds-named", "fds logger web.sock nix.r bare"},
		{"fds-missing", "fds nix log.r"},
		{"graph", "graph"},
		{"graph.dot", "graph --format dot"},
		{"graph.mermaid", "graph --format mermaid"},
		{"graph-format", "graph --format png"},
	} {
		d.dpctl(strings.Split(g.args, " ")...).golden(t, g.file)
	}
}

// Graphviz understands what it is given, whatever is in the texts, and its picture shows all of it.
func TestGraphAsPicture(t *testing.T) {
	d := connectedServices(t)
	r := d.dpctl("graph", "--format", "svg")
	r.expect(t, exitDone)
	texts := svgTexts(t, r.out)
	for _, want := range []string{"web", "log.w -> log.r", "talk.a <-> talk.b", "1,2", "127.0.0.1:0", "nix.r", "missing", "daemonproxy"} {
		if !strings.Contains(texts, want) {
			t.Errorf("the picture does not show %q, but\n%s", want, texts)
		}
	}
	if r.err != "" {
		t.Errorf("graphviz complains: %s", r.err)
	}
}

// svgTexts are the texts of a picture, one a line.
func svgTexts(t *testing.T, svg string) string {
	t.Helper()
	var texts strings.Builder
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts.String()
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v\n%s", err, svg)
		}
		if text, ok := token.(xml.CharData); ok && len(bytes.TrimSpace(text)) > 0 {
			texts.Write(text)
			texts.WriteByte('\n')
		}
	}
}

func TestGraphWithoutGraphviz(t *testing.T) {
	d := startDaemon(t)
	cmd := d.command("graph", "--format", "svg")
	cmd.Env = append(cmd.Env, "PATH="+t.TempDir())
	runCommand(t, cmd).expect(t, exitFailed, "dot is not installed", "Install graphviz")
}

// A dot that fails, or does not end, is told about, and is not waited for beyond the timeout.
func TestGraphWithBadGraphviz(t *testing.T) {
	d := startDaemon(t)
	for program, want := range map[string]struct {
		status int
		text   string
	}{
		"#!/bin/sh\necho no fonts >&2; exit 7\n": {exitFailed, "no fonts"},
		"#!/bin/sh\nexec sleep 1000\n":           {exitTimedOut, "time was up"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "dot"), []byte(program), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := d.command("graph", "--format", "svg", "--timeout", "1s")
		cmd.Env = append(cmd.Env, "PATH="+dir+":"+os.Getenv("PATH"))
		runCommand(t, cmd).expect(t, want.status, want.text)
	}
}
