package main

import (
	"strconv"

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

// date is YYYY-MM-DD HH:MM:SS in UTC. Package time would bring the zones of the whole
// world along, 3 % of the program.
func date(epoch int64) string {
	const day = 86400
	second := int((epoch%day + day) % day)
	year, month, dayOfMonth := civil((epoch - int64(second)) / day)
	return strconv.FormatInt(year, 10) + "-" + twoDigits(month) + "-" + twoDigits(dayOfMonth) + " " +
		twoDigits(second/3600) + ":" + twoDigits(second/60%60) + ":" + twoDigits(second%60)
}

// civil is the date of the Gregorian calendar, so many days after 1970-01-01. Its years
// begin in March, so that a leap day is the last of its year (Howard Hinnant, "chrono-Compatible
// Low-Level Date Algorithms").
func civil(days int64) (year int64, month, day int) {
	const century, era = 36524, 146097 // days of 100 years, and of 400
	days += 719468                     // since 0000-03-01
	eras := days / era
	if days %= era; days < 0 {
		days += era
		eras--
	}
	year = (days - days/1460 + days/century - days/(era-1)) / 365
	days -= 365*year + year/4 - year/100
	month = int(5*days+2) / 153
	day = int(days) - (153*month+2)/5 + 1
	year += 400 * eras
	if month += 3; month > 12 {
		return year + 1, month - 12, day
	}
	return year, month, day
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
