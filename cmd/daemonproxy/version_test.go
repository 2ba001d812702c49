package main

import (
	"strings"
	"testing"

	"daemonproxy/service/spawn"
)

// Scripts count on the first three lines.
func TestVersionSaysHowServicesAreStarted(t *testing.T) {
	lines := strings.Split(versionText(), "\n")
	if want := " start path: " + spawn.StartPath; lines[3] != want {
		t.Errorf("line 4 is %q, want %q", lines[3], want)
	}
	if spawn.StartPath != "vfork" && spawn.StartPath != "applet" {
		t.Errorf("start path %q", spawn.StartPath)
	}
}
