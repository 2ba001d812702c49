package main

import (
	"fmt"
	"strconv"
	"strings"

	"daemonproxy/controller/client"

	"github.com/spf13/cobra"
)

func newStatusCommand(p *program) *cobra.Command {
	s := status{program: p}
	cmd := &cobra.Command{
		Use:   "status [NAME...]",
		Short: "Show services: state, pid, since when, last exit, triggers, tags",
		Long: `status shows all services, or those that are named or have a tag.

SINCE is how long a service has been in its state, or in how long it is due to start. LAST EXIT is that of the last run
that is known: daemonproxy does not tell of earlier ones once a service runs again. TRIGGERS is what starts a service by
itself, with the interval; "stopped:" stands before what dpctl stop has taken away and dpctl start gives back.

The exit status is 3 if services were named and one of them is not up.`,
		Example:           "  dpctl status\n  dpctl status web db --json\n  dpctl status --tag role=db --watch",
		ValidArgsFunction: p.completeServices,
		RunE: func(_ *cobra.Command, names []string) error {
			s.choice.names = names
			return s.run()
		},
	}
	p.addTagFlag(cmd, &s.choice)
	cmd.Flags().BoolVar(&s.json, "json", false, "print a JSON array of services, on one line")
	cmd.Flags().BoolVarP(&s.watch, "watch", "w", false, "go on, and show it again whenever it changes")
	return cmd
}

type status struct {
	*program
	choice      choice
	json, watch bool
}

func (s *status) run() error {
	c, err := s.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	if s.watch {
		return s.follow(c)
	}
	state := c.State()
	return s.show(&state)
}

// show prints once. Who was named and is not up, or not there, is the error.
func (s *status) show(state *client.State) error {
	services, missing, err := s.find(state)
	if err != nil {
		return err
	}
	if err := s.print(services); err != nil {
		return err
	}
	if len(missing) > 0 {
		return fail(exitNotUp, "no such service: %s", strings.Join(missing, ", "))
	}
	for _, service := range services {
		if s.choice.given() && service.State != client.Up {
			return &failure{status: exitNotUp}
		}
	}
	return nil
}

func (s *status) find(state *client.State) (services []client.Service, missing []string, err error) {
	names := serviceNames(state)
	if s.choice.given() {
		if names, err = s.choice.services(state); err != nil {
			return nil, nil, err
		}
	}
	for _, name := range names {
		if service, ok := state.Services[name]; ok {
			services = append(services, service)
		} else {
			missing = append(missing, name)
		}
	}
	return services, missing, nil
}

func (s *status) print(services []client.Service) error {
	if s.json {
		views := make([]serviceView, len(services))
		for i, service := range services {
			views[i] = viewService(service)
		}
		return printJSON(s.out, views)
	}
	_, err := fmt.Fprint(s.out, s.table(services))
	return err
}

func (s *status) table(services []client.Service) string {
	t := table{color: colored(s.out)}
	t.add("NAME", "STATE", "PID", "SINCE", "LAST EXIT", "TRIGGERS", "TAGS")
	for i := range t.rows[0] {
		t.rows[0][i].color = bold
	}
	for _, service := range services {
		pid := ""
		if service.State == client.Up {
			pid = strconv.Itoa(service.PID)
		}
		t.add(service.Name, service.State, pid, since(service), service.LastExit.String(), triggersText(service), tagsText(service))
		t.rows[len(t.rows)-1][1].color = stateColor(service)
	}
	return t.String()
}
