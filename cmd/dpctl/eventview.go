package main

import "daemonproxy/controller/client"

// eventView is an event as --json shows it. The first field of the wire is "event"; the others depend on it.
type eventView struct {
	Event       string    `json:"event"`
	Name        string    `json:"name,omitempty"`
	State       string    `json:"state,omitempty"` // of a service
	Type        string    `json:"type,omitempty"`  // of a handle
	Time        *int64    `json:"time,omitempty"`  // seconds of CLOCK_MONOTONIC
	PID         int       `json:"pid,omitempty"`
	Exit        *exitView `json:"exit,omitempty"`
	Uptime      *int64    `json:"uptime,omitempty"`   // seconds
	Downtime    *int64    `json:"downtime,omitempty"` // seconds
	Values      *[]string `json:"values,omitempty"`   // of service.tags, service.args and service.fds
	Interval    *int64    `json:"interval,omitempty"`
	Triggers    *[]string `json:"triggers,omitempty"`
	Flags       []string  `json:"flags,omitempty"`
	Description *string   `json:"description,omitempty"`
	Count       *int64    `json:"count,omitempty"` // of a signal
	Text        string    `json:"text,omitempty"`  // of what has no fields of its own
}

func viewEvent(event client.Event) eventView {
	switch e := event.(type) {
	case client.ServiceState:
		return eventView{Event: "service.state", Name: e.Name, State: e.State, Time: known(e.Time), PID: e.PID,
			Exit: viewExit(e.Exit), Uptime: known(e.Uptime), Downtime: known(e.Downtime)}
	case client.ServiceTags:
		return viewValues("service.tags", e.Name, e.Tags)
	case client.ServiceArgs:
		return viewValues("service.args", e.Name, e.Args)
	case client.ServiceFDs:
		return viewValues("service.fds", e.Name, e.FDs)
	case client.ServiceAutoUp:
		triggers := list(e.Triggers)
		v := eventView{Event: "service.auto_up", Name: e.Name, Triggers: &triggers}
		if len(triggers) > 0 {
			v.Interval = &e.Interval
		}
		return v
	case client.HandleState:
		if e.Type == client.Deleted {
			return eventView{Event: "fd.state", Name: e.Name, Type: e.Type}
		}
		return eventView{Event: "fd.state", Name: e.Name, Type: e.Type, Flags: e.Flags, Description: &e.Description}
	case client.SignalCount:
		return eventView{Event: "signal", Name: e.Name, Time: &e.Time, Count: &e.Count}
	case client.Lost:
		return eventView{Event: "lost", Text: e.Err.Error()}
	case client.Synced:
		return eventView{Event: "synced"}
	}
	return eventView{Event: "line", Text: event.String()}
}

func viewValues(event, name string, values []string) eventView {
	values = list(values)
	return eventView{Event: event, Name: name, Values: &values}
}

func known(n int64) *int64 {
	if n == client.None {
		return nil
	}
	return &n
}
