package client

import (
	"context"
	"errors"
	"slices"
)

// tagHistory is what a service's tags became since somebody looked, guarded by Client.mu.
type tagHistory struct {
	name   string
	values [][]string
}

func (h *tagHistory) add(e ServiceTags) {
	if e.Name == h.name {
		h.values = append(h.values, e.Tags)
	}
}

// UpdateTags changes some tags of a service and keeps the others. service.tags sets all tags at once, and another
// controller may set them at the same moment; so this looks at what it has overwritten, and puts back what is missing
// of that. change gets the present tags, returns what they should be, and must find nothing to change in its own
// result. A service that does not exist is created.
//
// When it returns without an error, the change was made and seen, and among those who use UpdateTags no added tag is
// lost. A tag that somebody takes away may come back through somebody else who had read it just before and writes just
// after. Against those who set tags without looking, and after an overflow, nothing is guaranteed.
func (c *Client) UpdateTags(ctx context.Context, name string, change func(tags []string) []string) error {
	h := &tagHistory{name: name}
	defer c.forgetTags(h)
	var overwritten []string
	for {
		was := c.watchTags(h)
		want := change(slices.Concat(was, without(overwritten, was)))
		if slices.Equal(want, was) {
			return nil
		}
		_, err := c.Do(ctx, append([]string{"service.tags", name}, want...)...)
		switch {
		case errors.Is(err, ErrLost):
			if err := c.Wait(ctx, func(*State) bool { return true }); err != nil {
				return err
			}
		case err != nil:
			return err
		}
		overwritten = c.overwrittenTags(h, was, want)
	}
}

// watchTags begins the history anew and returns the tags that it begins with.
func (c *Client) watchTags(h *tagHistory) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	h.values = nil
	c.tags[h] = struct{}{}
	return c.state.Services[h.name].Tags
}

// overwrittenTags are those that came between the reading of was and the writing of want. What is missing there, but
// is in was, is another matter: perhaps somebody took it away, and perhaps he had not seen it and will put it back.
func (c *Client) overwrittenTags(h *tagHistory, was, want []string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var overwritten []string
	for i, value := range h.values {
		// Somebody else may have written the same. Which one is ours can't be seen, so each is taken for it.
		if i > 0 && slices.Equal(value, want) {
			overwritten = append(overwritten, without(h.values[i-1], slices.Concat(was, overwritten))...)
		}
	}
	return overwritten
}

func (c *Client) forgetTags(h *tagHistory) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tags, h)
}

// without is a copy of tags that lacks those of others.
func without(tags, others []string) []string {
	return slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return slices.Contains(others, tag) })
}
