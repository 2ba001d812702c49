package client

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

// Why events, answers or the connection are missing.
var (
	ErrOverflow     = errors.New("overflow: daemonproxy dropped events, as they were not read in time")
	ErrSlow         = errors.New("events were dropped, as the program did not take them in time")
	ErrLost         = errors.New("the answer is lost: the command may have been carried out or not")
	ErrDisconnected = errors.New("daemonproxy closed the connection")
	ErrClosed       = errors.New("the connection was closed")
)

// Client is one connection to daemonproxy, with a mirror of its state. Its methods may be called from any goroutine.
type Client struct {
	nonce    string // makes our marks ours
	dial     func(context.Context) (io.ReadCloser, io.WriteCloser, error)
	again    bool // dial again when the connection breaks
	ctx      context.Context
	cancel   context.CancelCauseFunc
	routines sync.WaitGroup
	done     chan struct{} // closed once err says why nothing more will come

	mu      sync.Mutex // guards what follows: the reader changes it, callers look
	err     error
	link    *link         // nil while there is no connection
	changed chan struct{} // closed, and replaced, whenever link, or its room, changes
	state   State
	dump    *seen // of the statedump under way, nil if there is none
	synced  bool  // state is complete
	subs    map[*subscription]struct{}
	waits   map[*wait]struct{}
	tags    map[*tagHistory]struct{}
}

// Dial connects to the control socket at path and returns once the state is mirrored. The context is for that alone:
// Close ends the connection. If daemonproxy serves as many connections as it can (--max-clients), this waits for one
// to end.
func Dial(ctx context.Context, path string) (*Client, error) {
	return connect(ctx, false, toSocket(path))
}

// DialAgain is Dial for those who outlive a daemonproxy: a connection that breaks is made anew, as often as necessary
// and for as long as it takes, and the state is mirrored again (see Lost). The first one has to succeed.
func DialAgain(ctx context.Context, path string) (*Client, error) {
	return connect(ctx, true, toSocket(path))
}

// Stdio is the connection of a controller that daemonproxy runs as a service: its descriptor 0 is control.event (or
// control.socket), its descriptor 1 control.cmd (or control.socket). Both become non-blocking. Nothing else may read
// from stdin or write to stdout; they stay open after Close, and the connection ends with the process.
func Stdio(ctx context.Context) (*Client, error) {
	return connect(ctx, false, func(context.Context) (io.ReadCloser, io.WriteCloser, error) {
		r, err := inherited(0, "stdin")
		if err != nil {
			return nil, nil, err
		}
		w, err := inherited(1, "stdout")
		if err != nil {
			r.Close()
			return nil, nil, err
		}
		return r, w, nil
	})
}

// New makes a client of any pair of streams, such as the pipes of a daemonproxy -i that the caller runs. Closing r
// must end a Read of it that is under way, as it does with pipes of os.Pipe and with sockets; likewise w and Write.
func New(ctx context.Context, r io.ReadCloser, w io.WriteCloser) (*Client, error) {
	return connect(ctx, false, func(context.Context) (io.ReadCloser, io.WriteCloser, error) { return r, w, nil })
}

func toSocket(path string) func(context.Context) (io.ReadCloser, io.WriteCloser, error) {
	return func(ctx context.Context) (io.ReadCloser, io.WriteCloser, error) {
		f, err := dial(ctx, path)
		if err != nil {
			return nil, nil, err
		}
		return f, f, nil
	}
}

func connect(ctx context.Context, again bool, dial func(context.Context) (io.ReadCloser, io.WriteCloser, error)) (*Client, error) {
	r, w, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &Client{
		nonce:   nonce(),
		dial:    dial,
		again:   again,
		done:    make(chan struct{}),
		changed: make(chan struct{}),
		state:   newState(),
		subs:    map[*subscription]struct{}{},
		waits:   map[*wait]struct{}{},
		tags:    map[*tagHistory]struct{}{},
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.routines.Go(func() { c.run(newLink(r, w)) })
	if err := c.Wait(ctx, func(*State) bool { return true }); err != nil {
		c.Close()
		return nil, &NotServedError{err}
	}
	return c, nil
}

// NotServedError says that there is a connection, but that no state came over it in time.
type NotServedError struct{ Err error }

func (e *NotServedError) Error() string { return "connected, but not served: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *NotServedError) Unwrap() error { return e.Err }

func nonce() string {
	return "client-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
}

// Close ends the connection and whatever waits for it. Commands whose answer has come are carried out; for others
// there is no telling. It returns once all goroutines of the client have ended.
func (c *Client) Close() error {
	c.cancel(ErrClosed)
	c.routines.Wait()
	return nil
}

// Done is closed once nothing more will come: after Close, or when daemonproxy has ended the connection.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err says why nothing more will come, and is nil before that.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// State is a copy of what daemonproxy has, as of the last event received. All that the commands that have been
// answered caused directly is in it. After the connection broke it is what was known last.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.clone()
}

// Service looks one service up.
func (c *Client) Service(name string) (Service, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.state.Services[name]
	return known, ok
}

// How long after a broken connection the next one is tried, at first and at most.
const (
	redialMin = 50 * time.Millisecond
	redialMax = 2 * time.Second
)

// run serves one connection after the other.
func (c *Client) run(l *link) {
	for {
		err := c.serve(l)
		if c.ctx.Err() != nil {
			err = context.Cause(c.ctx)
		} else if c.again {
			c.unlink(l, err, false)
			if l, err = c.redial(); err == nil {
				continue
			}
		}
		c.unlink(l, err, true)
		return
	}
}

func (c *Client) redial() (*link, error) {
	for pause := redialMin; ; pause = min(2*pause, redialMax) {
		if err := sleep(c.ctx, pause); err != nil {
			return nil, err
		}
		if r, w, err := c.dial(c.ctx); err == nil {
			return newLink(r, w), nil
		}
	}
}

// unlink tells everybody that a connection is gone, for good if last.
func (c *Client) unlink(l *link, err error, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l != nil {
		l.fail(err)
	}
	c.link, c.dump, c.synced = nil, nil, false
	c.signalChange()
	if last { // what has come is still to be had
		c.err = err
		close(c.done)
		return
	}
	for s := range c.subs {
		s.lose(err)
	}
}

// signalChange wakes those who wait for a connection or for room in it.
func (c *Client) signalChange() {
	close(c.changed)
	c.changed = make(chan struct{})
}
