package main

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"daemonproxy/controller/client"

	"golang.org/x/sys/unix"
)

// serviceView is a service as --json shows it. Absent fields are not known, or not there.
type serviceView struct {
	Name     string      `json:"name"`
	State    string      `json:"state"`
	PID      int         `json:"pid,omitempty"` // of the running program
	Since    *time.Time  `json:"since,omitempty"`
	Due      *int64      `json:"due,omitempty"` // when it is to start, in seconds of CLOCK_MONOTONIC
	LastExit *exitView   `json:"last_exit,omitempty"`
	Interval int64       `json:"interval,omitempty"` // seconds
	Triggers []string    `json:"triggers"`
	Stopped  *rememberVw `json:"stopped,omitempty"` // what dpctl stop has taken away
	Tags     []string    `json:"tags"`
	Args     []string    `json:"args"`
	FDs      []string    `json:"fds"`
}

type exitView struct {
	Reason string `json:"reason"` // exit or signal
	Status *int   `json:"status,omitempty"`
	Signal string `json:"signal,omitempty"`
}

type rememberVw struct {
	Interval int64    `json:"interval"`
	Triggers []string `json:"triggers"`
}

func viewService(s client.Service) serviceView {
	v := serviceView{
		Name: s.Name, State: s.State, LastExit: viewExit(s.LastExit),
		Triggers: list(s.AutoUp.Triggers), Tags: list(s.Tags), Args: list(s.Args), FDs: list(s.FDs),
	}
	if len(s.AutoUp.Triggers) > 0 {
		v.Interval = s.AutoUp.Interval
	} else if r, ok := recall(s.Tags); ok {
		v.Stopped = &rememberVw{r.interval, r.triggers}
	}
	if s.State == client.Up {
		v.PID = s.PID
	}
	if s.State == client.Start {
		v.Due = &s.Time
	}
	if !s.Since.IsZero() {
		since := s.Since.Round(time.Second).UTC()
		v.Since = &since
	}
	return v
}

func viewExit(e client.Exit) *exitView {
	switch e.Reason {
	case "exit":
		return &exitView{Reason: e.Reason, Status: &e.Status}
	case "signal":
		return &exitView{Reason: e.Reason, Signal: e.Signal}
	}
	return nil
}

// list is never null in JSON.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

// printJSON writes one value as one line.
func printJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}

// since is how long a service has been in its state, or when it is due.
func since(s client.Service) string {
	switch {
	case s.State == client.Start:
		if wait := time.Duration(s.Time-monotonic()) * time.Second; wait > 0 {
			return "in " + age(wait)
		}
		return "now"
	case s.Since.IsZero():
		return ""
	}
	return age(time.Since(s.Since))
}

// monotonic is daemonproxy's clock.
func monotonic() int64 {
	var now unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return int64(now.Sec)
}

// age is a duration in its two largest units: 12s, 3m12s, 5h3m, 12d4h.
func age(d time.Duration) string {
	s := max(int64(d/time.Second), 0)
	switch {
	case s < 60:
		return units(s, "s")
	case s < 3600:
		return units(s/60, "m") + units(s%60, "s")
	case s < 24*3600:
		return units(s/3600, "h") + units(s/60%60, "m")
	}
	return units(s/(24*3600), "d") + units(s/3600%24, "h")
}

func units(n int64, unit string) string { return strconv.FormatInt(n, 10) + unit }

// triggersText is the column TRIGGERS: the triggers with their interval, or what stop has taken away.
func triggersText(s client.Service) string {
	if t := triggersOf(s); len(t) > 0 {
		return strings.Join(t, " ") + " " + units(s.AutoUp.Interval, "s")
	}
	if r, ok := recall(s.Tags); ok {
		return "stopped: " + r.String()
	}
	return ""
}

// tagsText is the column TAGS, without what another column shows.
func tagsText(s client.Service) string {
	var tags []string
	for _, tag := range s.Tags {
		if !isRemembered(tag) {
			tags = append(tags, tag)
		}
	}
	return strings.Join(tags, " ")
}
