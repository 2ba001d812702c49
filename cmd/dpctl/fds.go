package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"daemonproxy/controller/client"

	"github.com/spf13/cobra"
)

func newFDsCommand(p *program) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "fds [NAME...]",
		Short: "Show which descriptor number of which service is what handle",
		Long: `fds lists the descriptor numbers of all services with the handle that each one is, and then the handles that no service
lists. With names it lists only those services and handles.

FLAGS and IS are what daemonproxy says of a handle: a path, an address, or the other end of a pipe ("?" once that is gone).
A handle that a service lists but that does not exist is "missing"; the service can't start. The list is what a service gets
when it is started next: one that runs has what its handles were when it was started.

The exit status is 1 if a name is neither that of a service nor that of a handle.`,
		ValidArgsFunction: p.live(func(state *client.State, args []string) []string {
			return slices.DeleteFunc(serviceAndHandleNames(state), func(name string) bool { return slices.Contains(args, name) })
		}),
		RunE: func(_ *cobra.Command, names []string) error { return p.fds(names, asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array of descriptors, on one line")
	return cmd
}

func serviceAndHandleNames(state *client.State) []string {
	names := map[string]bool{}
	for name := range state.Services {
		names[name] = true
	}
	for name := range state.Handles {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func (p *program) fds(names []string, asJSON bool) error {
	c, err := p.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	state := c.State()
	chosen, missing := descriptors(&state), []string{}
	if len(names) > 0 {
		chosen, missing = descriptorsNamed(&state, names)
	}
	if asJSON {
		err = printJSON(p.out, viewDescriptors(chosen))
	} else {
		_, err = fmt.Fprint(p.out, p.descriptorTable(chosen))
	}
	if err == nil && len(missing) > 0 {
		err = fail(exitFailed, "no such service or handle: %s", strings.Join(missing, ", "))
	}
	return err
}

// descriptorsNamed are those whose service or handle is named, and the names that nothing has.
func descriptorsNamed(state *client.State, names []string) (chosen []descriptor, missing []string) {
	known := serviceAndHandleNames(state)
	for _, d := range descriptors(state) {
		if slices.Contains(names, d.handle.Name) || d.service != nil && slices.Contains(names, d.service.Name) {
			chosen = append(chosen, d)
			known = append(known, d.handle.Name) // it may be missing
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			missing = append(missing, name)
		}
	}
	return chosen, missing
}

func (p *program) descriptorTable(all []descriptor) string {
	t := table{color: colored(p.out)}
	t.add("SERVICE", "STATE", "FD", "HANDLE", "TYPE", "FLAGS", "IS")
	for i := range t.rows[0] {
		t.rows[0][i].color = bold
	}
	for _, d := range all {
		service, state, number, color := "", "", "", plain
		if d.service != nil {
			service, state, number, color = d.service.Name, d.service.State, strconv.Itoa(d.number), stateColor(*d.service)
		}
		t.add(service, state, number, d.handle.Name, d.handle.Type, strings.Join(d.handle.Flags, ","), d.handle.Description)
		row := t.rows[len(t.rows)-1]
		row[1].color = color
		if d.handle.Type == missingHandle {
			row[4].color = red
		}
	}
	return t.String()
}

// descriptorView is a descriptor as --json shows it. Without service it is a handle that no service lists.
type descriptorView struct {
	Service     string   `json:"service,omitempty"`
	State       string   `json:"state,omitempty"` // of the service
	FD          *int     `json:"fd,omitempty"`
	Handle      string   `json:"handle"`
	Type        string   `json:"type"`
	Flags       []string `json:"flags"`
	Description string   `json:"description"`
}

func viewDescriptors(all []descriptor) []descriptorView {
	views := make([]descriptorView, len(all))
	for i, d := range all {
		views[i] = descriptorView{Handle: d.handle.Name, Type: d.handle.Type, Flags: list(d.handle.Flags), Description: d.handle.Description}
		if d.service != nil {
			views[i].Service, views[i].State, views[i].FD = d.service.Name, d.service.State, &d.number
		}
	}
	return views
}
