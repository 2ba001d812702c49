package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"daemonproxy/controller/client"

	"github.com/spf13/cobra"
)

// completionPatience is how long a person who pressed TAB waits for daemonproxy.
const completionPatience = time.Second

// candidates is what cobra asks for: what the shell may offer, given the words before.
type candidates = func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective)

// live makes candidates of the present state. Without a daemonproxy there are none, and no word about it.
func (p *program) live(offer func(state *client.State, args []string) []string) candidates {
	return func(_ *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		p.timeout = completionPatience
		c, err := p.connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer c.Close()
		state := c.State()
		fitting := slices.DeleteFunc(offer(&state, args), func(word string) bool { return !strings.HasPrefix(word, toComplete) })
		return fitting, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeServices offers the services that are not named yet.
func (p *program) completeServices(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	return p.live(func(state *client.State, args []string) []string {
		return slices.DeleteFunc(serviceNames(state), func(name string) bool { return slices.Contains(args, name) })
	})(cmd, args, toComplete)
}

func (p *program) completeTags(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	return p.live(func(state *client.State, _ []string) []string {
		tags := map[string]bool{}
		for _, service := range state.Services {
			for _, tag := range service.Tags {
				key, _, _ := strings.Cut(tag, "=")
				tags[key], tags[tag] = true, true
			}
		}
		delete(tags, "")
		return slices.Sorted(maps.Keys(tags))
	})(cmd, args, toComplete)
}

func serviceNames(state *client.State) []string { return slices.Sorted(maps.Keys(state.Services)) }

func handleNames(state *client.State) []string { return slices.Sorted(maps.Keys(state.Handles)) }
