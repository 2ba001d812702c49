package main

import (
	"maps"
	"slices"
	"strings"

	"daemonproxy/controller/client"

	"github.com/spf13/cobra"
)

// choice says which services a command is about: those that are named, and those that have all of the tags.
type choice struct {
	names []string
	tags  []string
}

// addTagFlag gives a command its --tag.
func (p *program) addTagFlag(cmd *cobra.Command, ch *choice) {
	cmd.Flags().StringArrayVar(&ch.tags, "tag", nil, "services with this tag, `KEY[=VALUE]`; several must all be there")
	must(cmd.RegisterFlagCompletionFunc("tag", p.completeTags))
}

// given reports whether anything was chosen.
func (ch *choice) given() bool { return len(ch.names) > 0 || len(ch.tags) > 0 }

// require is for commands that act on services only if told on which.
func (ch *choice) require() error {
	if !ch.given() {
		return fail(exitUsage, "name a service, or choose some by --tag (%s)", usageAdvice)
	}
	return nil
}

// services are the chosen names, each once: as they were given, then those that have the tags, in byte order. Given
// names need not exist.
func (ch *choice) services(state *client.State) ([]string, error) {
	var chosen []string
	for _, name := range ch.names {
		if !slices.Contains(chosen, name) {
			chosen = append(chosen, name)
		}
	}
	if len(ch.tags) == 0 {
		return chosen, nil
	}
	tagged := 0
	for _, name := range slices.Sorted(maps.Keys(state.Services)) {
		if !hasTags(state.Services[name].Tags, ch.tags) {
			continue
		}
		if tagged++; !slices.Contains(chosen, name) {
			chosen = append(chosen, name)
		}
	}
	if tagged == 0 {
		return nil, fail(exitFailed, "no service has the tag %s", strings.Join(ch.tags, " and "))
	}
	return chosen, nil
}

func hasTags(tags, wanted []string) bool {
	for _, want := range wanted {
		found := slices.ContainsFunc(tags, func(tag string) bool {
			return tag == want || strings.HasPrefix(tag, want+"=") && !strings.Contains(want, "=")
		})
		if !found {
			return false
		}
	}
	return true
}

// existing are the chosen services, all of which have to exist.
func (ch *choice) existing(state *client.State) ([]string, error) {
	if err := ch.require(); err != nil {
		return nil, err
	}
	names, err := ch.services(state)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, name := range names {
		if _, ok := state.Services[name]; !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, fail(exitFailed, "no such service: %s (dpctl status lists what there is)", strings.Join(missing, ", "))
	}
	return names, nil
}
