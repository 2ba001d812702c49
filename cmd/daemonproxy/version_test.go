package main

import (
	"strings"
	"testing"
	"time"

	"daemonproxy/service/spawn"
)

// The date of a build is that of the calendar, for every day of eight centuries and some odd seconds.
func TestDate(t *testing.T) {
	for day := int64(-146097); day <= 146097; day++ {
		epoch := day*86400 + (day%86400+86400)%86400
		if got, want := date(epoch), time.Unix(epoch, 0).UTC().Format(time.DateTime); got != want {
			t.Fatalf("%d: %s, not %s", epoch, got, want)
		}
	}
}

// Scripts count on the first three lines.
func TestVersionSaysHowServicesAreStarted(t *testing.T) {
	lines := strings.Split(versionText(), "\n")
	if want := " start path: " + spawn.StartPath; lines[3] != want {
		t.Errorf("line 4 is %q, want %q", lines[3], want)
	}
	if spawn.StartPath != "clone" && spawn.StartPath != "applet" {
		t.Errorf("start path %q", spawn.StartPath)
	}
}
