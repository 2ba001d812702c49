package main

import (
	"context"
	"errors"
	"time"

	"daemonproxy/controller/client"
)

// errTime is why a context of ours ends.
var errTime = errors.New("time was up")

// limited is the context of a command that ends by itself: --timeout, or no limit at all if that is 0.
func (p *program) limited() (context.Context, context.CancelFunc) {
	return within(context.Background(), p.timeout)
}

// limitedIn is a part of a command that may take --timeout by itself, but a second at least: a daemon under load must
// be able to answer even if a program gets no time to end.
func (p *program) limitedIn(ctx context.Context) (context.Context, context.CancelFunc) {
	if p.timeout == 0 {
		return within(ctx, defaultTimeout)
	}
	return within(ctx, max(p.timeout, time.Second))
}

func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, d, errTime)
}

// connect returns a client with the state mirrored, or an error that says what to do. Even without --timeout a daemon
// that does not answer is not waited for.
func (p *program) connect() (*client.Client, error) {
	path, _ := p.socketPath()
	ctx, cancel := p.limitedIn(context.Background())
	defer cancel()
	c, err := client.Dial(ctx, path)
	if err != nil {
		return nil, p.noConnection(err)
	}
	return c, nil
}

// do sends a command that may as well be carried out twice, and does so if its answer was lost.
func do(ctx context.Context, c *client.Client, fields ...string) error {
	for {
		_, err := c.Do(ctx, fields...)
		if !errors.Is(err, client.ErrLost) || errors.Is(err, client.ErrDisconnected) {
			return err
		}
		if err := synced(ctx, c); err != nil {
			return err
		}
	}
}

// synced waits until the mirror is complete.
func synced(ctx context.Context, c *client.Client) error {
	return c.Wait(ctx, func(*client.State) bool { return true })
}

// refusal is the text of a refusal, empty for other errors.
func refusal(err error) string {
	var refused *client.Error
	if errors.As(err, &refused) {
		return refused.Text
	}
	return ""
}

// isTime reports whether an error is that time was up.
func isTime(err error) bool { return errors.Is(err, errTime) }
