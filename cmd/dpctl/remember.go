package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"daemonproxy/controller/client"
)

// What stop takes away from a service is remembered in a tag of it: "dpctl.triggers=INTERVAL,TRIGGER,…". The rules keep
// two people from confusing each other:
//
//   - The tag is written before the triggers are taken away, and is not overwritten while it is there. So a second stop,
//     which finds no triggers, does not remember that.
//   - The triggers are given back before the tag is taken away. So whoever is interrupted leaves too much, not too little.
//   - Whoever has written last looks whether the service has its triggers or the tag, and writes the tag if it has
//     neither. Events about a service come in one order, so the one who wrote last sees what the other did.
const rememberKey = "dpctl.triggers"

// remembered is what the tag says.
type remembered struct {
	interval int64
	triggers []string
}

func (r remembered) tag() string {
	return rememberKey + "=" + strconv.FormatInt(r.interval, 10) + "," + strings.Join(r.triggers, ",")
}

// String is how people are told.
func (r remembered) String() string { return strings.Join(r.triggers, " ") }

// isRemembered reports whether a tag is one that stop wrote. Another one of that key is somebody's own, and means nothing.
func isRemembered(tag string) bool {
	_, ok := parseMemory(tag)
	return ok
}

// recall finds what a stop has remembered of a service.
func recall(tags []string) (r remembered, ok bool) {
	for _, tag := range tags {
		if r, ok = parseMemory(tag); ok {
			return r, true
		}
	}
	return remembered{}, false
}

func parseMemory(tag string) (r remembered, ok bool) {
	value, ok := strings.CutPrefix(tag, rememberKey+"=")
	if !ok {
		return r, false
	}
	parts := strings.Split(value, ",")
	interval, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || interval < 0 || len(parts) < 2 || parts[1] == "" {
		return r, false
	}
	return remembered{interval, parts[1:]}, true
}

// triggersOf are those that count: daemonproxy reads them up to the first empty one.
func triggersOf(s client.Service) []string {
	triggers := s.AutoUp.Triggers
	if i := slices.Index(triggers, ""); i >= 0 {
		return triggers[:i]
	}
	return triggers
}

// takeTriggers takes a service's triggers away and remembers them. It returns what is remembered, if anything is.
func takeTriggers(ctx context.Context, c *client.Client, name string) (r remembered, ok bool, err error) {
	s, _ := c.Service(name)
	triggers := triggersOf(s)
	if len(triggers) == 0 {
		r, ok = recall(s.Tags)
		return r, ok, nil
	}
	r = remembered{s.AutoUp.Interval, triggers}
	if err := writeMemory(ctx, c, name, r); refusal(err) != "" || errors.Is(err, client.ErrTooLong) {
		return r, false, fail(exitFailed, "%s: its tags have no room to remember its triggers, so nothing was changed (%v)", name, err)
	} else if err != nil {
		return r, false, err
	}
	if err := do(ctx, c, "service.auto_up", name, "-"); err != nil {
		return r, false, err
	}
	if _, err = keepMemory(ctx, c, name, r); err != nil {
		return r, false, err
	}
	s, _ = c.Service(name)
	if first, ok := recall(s.Tags); ok {
		r = first
	}
	return r, true, nil
}

// giveTriggers gives a service back what a stop has taken away. restored is false if there was nothing to give back.
func giveTriggers(ctx context.Context, c *client.Client, name string) (restored bool, err error) {
	s, _ := c.Service(name)
	r, ok := recall(s.Tags)
	if !ok {
		return false, nil
	}
	if len(triggersOf(s)) == 0 {
		interval := strconv.FormatInt(r.interval, 10)
		if r.interval == 0 { // which can't be set, but is kept: nobody has ever set one
			interval = "-"
		}
		fields := append([]string{"service.auto_up", name, interval}, r.triggers...)
		if err := do(ctx, c, fields...); err != nil {
			return false, err
		}
		restored = true
	} else {
		r = remembered{s.AutoUp.Interval, triggersOf(s)}
	}
	err = c.UpdateTags(ctx, name, func(tags []string) []string { return slices.DeleteFunc(tags, isRemembered) })
	if err != nil {
		return restored, err
	}
	lost, err := keepMemory(ctx, c, name, r)
	if err == nil && lost {
		err = fail(exitFailed, "%s: somebody stopped it at the same moment", name)
	}
	return restored, err
}

func writeMemory(ctx context.Context, c *client.Client, name string, r remembered) error {
	return c.UpdateTags(ctx, name, func(tags []string) []string {
		if slices.ContainsFunc(tags, isRemembered) {
			return tags
		}
		return append(tags, r.tag())
	})
}

// keepMemory writes the tag if the service has neither triggers nor it, which is what somebody's work at the same
// moment can lead to.
func keepMemory(ctx context.Context, c *client.Client, name string, r remembered) (lost bool, err error) {
	s, ok := c.Service(name)
	if !ok || len(s.AutoUp.Triggers) > 0 || slices.ContainsFunc(s.Tags, isRemembered) {
		return false, nil
	}
	return true, writeMemory(ctx, c, name, r)
}
