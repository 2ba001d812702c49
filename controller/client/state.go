package client

import (
	"maps"
	"slices"
	"time"
)

// State is what daemonproxy has. Whoever gets one reads it only: its slices are shared.
type State struct {
	Services map[string]Service
	Handles  map[string]HandleState
	Signals  map[string]SignalCount // those with a count that is not cleared, as far as events told
}

// Service is all that is known about a service.
type Service struct {
	ServiceState
	Since    time.Time // when it came into its state, by this machine's clock; zero if it never ran, or is to start
	LastExit Exit      // of the last run that this client knows of: a running service does not tell about earlier ones
	Tags     []string
	Args     []string
	FDs      []string
	AutoUp   ServiceAutoUp
}

func newState() State {
	return State{Services: map[string]Service{}, Handles: map[string]HandleState{}, Signals: map[string]SignalCount{}}
}

func (s *State) clone() State {
	return State{Services: maps.Clone(s.Services), Handles: maps.Clone(s.Handles), Signals: maps.Clone(s.Signals)}
}

// service is the named one. One that events have just begun to tell of has what a new service has.
func (s *State) service(name string) Service {
	if known, ok := s.Services[name]; ok {
		return known
	}
	return Service{
		ServiceState: ServiceState{Name: name, State: Down, Time: None, Uptime: None, Downtime: None},
		FDs:          []string{"null", "null", "null"},
		AutoUp:       ServiceAutoUp{Name: name},
	}
}

// apply follows an event.
func (s *State) apply(event Event) {
	switch e := event.(type) {
	case ServiceState:
		if e.State == Deleted {
			delete(s.Services, e.Name)
			return
		}
		known := s.service(e.Name)
		known.Since = e.since(known)
		if e.Exit.Reason != "" {
			known.LastExit = e.Exit
		}
		known.ServiceState = e
		s.Services[e.Name] = known
	case ServiceTags:
		known := s.service(e.Name)
		known.Tags = e.Tags
		s.Services[e.Name] = known
	case ServiceArgs:
		known := s.service(e.Name)
		known.Args = e.Args
		s.Services[e.Name] = known
	case ServiceFDs:
		known := s.service(e.Name)
		known.FDs = e.FDs
		s.Services[e.Name] = known
	case ServiceAutoUp:
		known := s.service(e.Name)
		known.AutoUp = e
		s.Services[e.Name] = known
	case HandleState:
		if e.Type == Deleted {
			delete(s.Handles, e.Name)
			return
		}
		s.Handles[e.Name] = e
	case SignalCount:
		s.Signals[e.Name] = e
	}
}

// since is the moment of the change that the line tells of. A dump repeats a state with durations in whole seconds;
// the moment that is known already is the better one.
func (e ServiceState) since(known Service) time.Time {
	if known.State == e.State && known.Time == e.Time && known.PID == e.PID && !known.Since.IsZero() {
		return known.Since
	}
	switch {
	case e.State == Up && e.Uptime != None:
		return time.Now().Add(-time.Duration(e.Uptime) * time.Second)
	case e.State == Down && e.Downtime != None:
		return time.Now().Add(-time.Duration(e.Downtime) * time.Second)
	}
	return time.Time{}
}

// events tells the whole state, in the order of a statedump.
func (s *State) events() []Event {
	var events []Event
	for _, name := range slices.Sorted(maps.Keys(s.Handles)) {
		events = append(events, s.Handles[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Services)) {
		known := s.Services[name]
		events = append(events, known.ServiceState, ServiceTags{name, known.Tags}, ServiceArgs{name, known.Args},
			ServiceFDs{name, known.FDs}, known.AutoUp)
	}
	signals := slices.SortedFunc(maps.Values(s.Signals), func(a, b SignalCount) int { return int(a.Time - b.Time) })
	for _, e := range signals {
		events = append(events, e)
	}
	return events
}

// seen is what a statedump under way, or an event meanwhile, has told of. What is not in it at the end is gone.
type seen struct{ services, handles, signals map[string]bool }

func newSeen() *seen {
	return &seen{map[string]bool{}, map[string]bool{}, map[string]bool{}}
}

func (s *seen) add(event Event) {
	switch e := event.(type) {
	case ServiceState:
		s.services[e.Name] = true
	case ServiceTags:
		s.services[e.Name] = true
	case ServiceArgs:
		s.services[e.Name] = true
	case ServiceFDs:
		s.services[e.Name] = true
	case ServiceAutoUp:
		s.services[e.Name] = true
	case HandleState:
		s.handles[e.Name] = true
	case SignalCount:
		s.signals[e.Name] = true
	}
}

// keepOnly forgets what a complete dump did not tell of.
func (s *State) keepOnly(there *seen) {
	maps.DeleteFunc(s.Services, func(name string, _ Service) bool { return !there.services[name] })
	maps.DeleteFunc(s.Handles, func(name string, _ HandleState) bool { return !there.handles[name] })
	maps.DeleteFunc(s.Signals, func(name string, _ SignalCount) bool { return !there.signals[name] })
}
