package client

import (
	"context"
	"errors"
	"strings"

	"daemonproxy/controller/protocol"
)

// Answer is what a command brought.
type Answer struct {
	// Lines are all that came while it was carried out: its answers, the events that it caused directly, and any
	// other events in between.
	Lines    []string
	Warnings []string
	Error    *Error // daemonproxy refused it, and nothing has changed
}

// Error is a refusal of daemonproxy.
type Error struct {
	Command string // as it was sent
	Text    string // such as "No such service"; the texts are part of the protocol
}

func (e *Error) Error() string { return strings.ReplaceAll(e.Command, "\t", " ") + ": " + e.Text }

// newError takes the command's beginning off an error's text.
func newError(command, text string) *Error {
	head := command
	if len(head) >= 30 {
		head = head[:30] + "..."
	}
	return &Error{Command: command, Text: strings.TrimSuffix(text, `, for command "`+head+`"`)}
}

// Why a command can't be sent.
var (
	ErrField   = errors.New("a field can't contain TAB, LF or NUL")
	ErrLine    = errors.New("a command can't contain LF or NUL")
	ErrTooLong = errors.New("a command has at most 4095 bytes")
)

// Do sends a command, its fields joined by TABs, and waits until it has been carried out. The error is an *Error if
// daemonproxy refused it. With ErrLost, or if the connection broke or the context ended, it may have been carried out
// or not; look at the state. Nothing is ever sent twice. The commands exit and terminate succeed by the end of the
// connection.
//
// Commands of several goroutines are carried out one after the other. Do waits while there is no connection
// (DialAgain). It must not be called by the condition of a Wait or by the function of an UpdateTags.
func (c *Client) Do(ctx context.Context, fields ...string) (Answer, error) {
	for _, field := range fields {
		if strings.ContainsAny(field, "\t\n\x00") {
			return Answer{}, ErrField
		}
	}
	return c.DoLine(ctx, line(fields...))
}

// DoLine is Do for a line that is already made. A comment or a blank line has no answer.
func (c *Client) DoLine(ctx context.Context, text string) (Answer, error) {
	switch {
	case strings.ContainsAny(text, "\n\x00"):
		return Answer{}, ErrLine
	case len(text) >= protocol.MaxLine:
		return Answer{}, ErrTooLong
	}
	k, err := c.enqueue(ctx, text)
	if err != nil {
		return Answer{}, err
	}
	select {
	case <-k.done:
	case <-ctx.Done():
		return Answer{}, context.Cause(ctx)
	}
	if k.err == nil && k.Error != nil {
		return k.Answer, k.Error
	}
	return k.Answer, k.err
}

// enqueue waits for a connection, and for room among the commands that are not sent yet.
func (c *Client) enqueue(ctx context.Context, text string) (*call, error) {
	for {
		c.mu.Lock()
		if c.err != nil {
			c.mu.Unlock()
			return nil, c.err
		}
		if c.link != nil && len(c.link.unsent) < maxUnsent {
			k := c.link.enqueue(c.nonce, text)
			c.mu.Unlock()
			return k, nil
		}
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-c.done:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
