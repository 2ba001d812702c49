package main

import (
	"strconv"
	"time"

	"daemonproxy/controller/protocol"
	"daemonproxy/service/spawn"
)

// What the build says of itself: set by the linker, as in
//
//	go build -ldflags "-X main.version=1.2.3 -X main.buildEpoch=$(date +%s)
//	    -X main.gitHead=$(git rev-parse HEAD) -X main.gitDirty=dirty"
//
// runtime/debug knows some of it too, but would link package fmt in.
var (
	version    = "0.1.0"   // MAJOR.MINOR.RELEASE[SUFFIX]
	buildEpoch = "0"       // seconds since 1970, UTC
	gitHead    = "unknown" // hash of the commit
	gitDirty   = ""        // not empty: built from a changed tree
)

func versionLine() string { return "daemonproxy version " + version + "\n" }

// versionText is what --version prints. Scripts rely on its first three lines.
func versionText() string {
	// A build without a good number is shown as one of 1970.
	epoch, _ := protocol.ParseInteger([]byte(buildEpoch))
	built := strconv.FormatInt(epoch, 10) + " (" + date(epoch) + ")"
	head := gitHead
	if gitDirty != "" {
		head += " (dirty)"
	}
	return versionLine() +
		" build timestamp: " + built + "\n" +
		" git HEAD: " + head + "\n" +
		" start path: " + spawn.StartPath + "\n" +
		"Copyright (C) 2025-2026 the daemonproxy authors\n" +
		"\n" +
		"This is free software under the MIT licence, without any warranty.\n" +
		"The terms are in the file LICENSE that comes with it.\n"
}

// date is YYYY-MM-DD HH:MM:SS in UTC. What package time has for it would be 2 % of
// the program.
func date(epoch int64) string {
	year, month, day := time.Unix(epoch, 0).UTC().Date()
	second := int(((epoch % 86400) + 86400) % 86400)
	return strconv.Itoa(year) + "-" + twoDigits(int(month)) + "-" + twoDigits(day) + " " +
		twoDigits(second/3600) + ":" + twoDigits(second/60%60) + ":" + twoDigits(second%60)
}

func twoDigits(n int) string { return string([]byte{'0' + byte(n/10), '0' + byte(n%10)}) }

// banner is what the interactive controller is told first.
func banner() []string {
	return []string{
		"daemonproxy version " + version,
		"Copyright (C) 2025-2026 the daemonproxy authors",
		"This is free software under the MIT licence, without any warranty; see the file LICENSE.",
		"Commands are lines of TAB separated fields; docs/protocol.md lists them.",
	}
}
