package main

import (
	"maps"
	"slices"

	"daemonproxy/controller/client"
)

// What a number of a service's list of descriptors may be, besides the types of handles.
const (
	closedNumber  = "closed"  // "-"
	missingHandle = "missing" // no handle has that name
)

// descriptor is one number of a service, and the handle that becomes it. A handle that no service lists has a
// descriptor of its own, without service.
type descriptor struct {
	service *client.Service
	number  int
	handle  client.HandleState
}

// descriptors are those of all services, in the order of names and numbers, then the handles that no service lists.
func descriptors(state *client.State) (all []descriptor) {
	listed := map[string]bool{}
	for _, name := range serviceNames(state) {
		service := state.Services[name]
		number := 0
		for _, handle := range service.FDs {
			if handle == "" {
				continue // takes no number
			}
			all = append(all, descriptor{&service, number, handleOf(state, handle)})
			listed[handle] = true
			number++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(state.Handles)) {
		if !listed[name] {
			all = append(all, descriptor{handle: state.Handles[name]})
		}
	}
	return all
}

func handleOf(state *client.State, name string) client.HandleState {
	if name == "-" { // whatever is called so
		return client.HandleState{Name: name, Type: closedNumber}
	}
	if handle, ok := state.Handles[name]; ok {
		return handle
	}
	return client.HandleState{Name: name, Type: missingHandle}
}

// reads and writes tell which way the bytes go, as seen by a service.
func reads(h client.HandleState) bool {
	switch h.Type {
	case "pipe":
		return slices.Contains(h.Flags, "from") || isPair(h)
	case "socket":
		return true
	}
	return slices.Contains(h.Flags, "read")
}

func writes(h client.HandleState) bool {
	switch h.Type {
	case "pipe":
		return slices.Contains(h.Flags, "to")
	case "socket":
		return true
	}
	return slices.Contains(h.Flags, "write")
}

// isPair reports whether a handle is one end of a socketpair, both of whose ends are read and written.
func isPair(h client.HandleState) bool {
	return h.Type == "pipe" && slices.ContainsFunc(h.Flags, func(flag string) bool {
		return flag == "stream" || flag == "dgram" || flag == "seqpacket"
	})
}
