package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
)

// maxText is what a line may have before we take the other side for something else than daemonproxy.
const maxText = 64 << 10

// maxUnsent is how many bytes of commands wait in this process before Do waits.
const maxUnsent = 64 << 10

// link is one connection. All but its streams is guarded by Client.mu.
type link struct {
	r      io.ReadCloser
	w      io.WriteCloser
	wake   chan struct{} // there is something to write
	unsent []byte
	calls  []*call // in the order of their marks; the first is, or will be, carried out
	marked int     // the number of the last call
}

// call is a command and its answers so far. Two echos mark where these begin and end, since only the answer to the
// next command tells that one is done.
type call struct {
	number int
	text   string
	echo   string // what an echo answers, which could look like an event
	dump   bool   // our own statedump, for the mirror
	begun  bool
	lost   bool
	Answer
	err  error
	done chan struct{}
}

func newLink(r io.ReadCloser, w io.WriteCloser) *link {
	return &link{r: r, w: w, wake: make(chan struct{}, 1)}
}

// enqueue puts a command between its two marks.
func (l *link) enqueue(nonce, text string) *call {
	l.marked++
	k := &call{number: l.marked, text: text, done: make(chan struct{})}
	if echo, ok := strings.CutPrefix(text, "echo\t"); ok {
		k.echo = echo
	}
	l.calls = append(l.calls, k)
	n := strconv.Itoa(k.number)
	for _, s := range []string{"echo\t", nonce, "\tbegin\t", n, "\n", text, "\necho\t", nonce, "\tend\t", n, "\n"} {
		l.unsent = append(l.unsent, s...)
	}
	select {
	case l.wake <- struct{}{}:
	default: // the writer knows already
	}
	return k
}

// fail ends all calls: the connection is gone. exit and terminate have no other answer than that.
func (l *link) fail(err error) {
	for _, k := range l.calls {
		switch {
		case errors.Is(err, ErrDisconnected) && k.begun && !k.lost && k.Error == nil && endsConnection(k.text):
		case k.begun || errors.Is(err, ErrClosed):
			k.err = err
		default:
			k.err = errors.Join(err, ErrLost)
		}
		close(k.done)
	}
	l.calls = nil
}

func endsConnection(text string) bool {
	verb, _, _ := strings.Cut(text, "\t")
	return verb == "exit" || verb == "terminate"
}

// serve reads a connection to its end and says why it ended.
func (c *Client) serve(l *link) error {
	var writer sync.WaitGroup
	ended := make(chan struct{})
	stop := context.AfterFunc(c.ctx, func() { l.r.Close(); l.w.Close() })
	defer stop()
	writer.Go(func() { c.write(l, ended) })
	defer writer.Wait()
	defer l.r.Close()
	defer l.w.Close()
	defer close(ended)

	c.mu.Lock()
	c.link = l
	c.resync()
	c.signalChange()
	c.mu.Unlock()

	in := bufio.NewReaderSize(l.r, maxText)
	for {
		text, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return errors.New("a line of more than 64 KiB came: this is not daemonproxy")
		case errors.Is(err, io.EOF):
			return ErrDisconnected
		case err != nil:
			return errors.Join(ErrDisconnected, err)
		}
		c.receive(l, string(bytes.TrimSuffix(text, []byte{'\n'})))
	}
}

// write sends what calls have queued. If that fails, daemonproxy is about to close the connection: its last words are
// still to be read, and then comes the end.
func (c *Client) write(l *link, ended <-chan struct{}) {
	for {
		select {
		case <-l.wake:
		case <-ended:
			return
		}
		c.mu.Lock()
		batch := l.unsent
		l.unsent = nil
		c.signalChange()
		c.mu.Unlock()
		if _, err := l.w.Write(batch); err != nil {
			return
		}
	}
}

// receive takes one line.
func (c *Client) receive(l *link, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if mark, ours := strings.CutPrefix(text, c.nonce+"\t"); ours {
		kind, number, _ := strings.Cut(mark, "\t")
		if n, err := strconv.Atoi(number); err == nil {
			c.mark(l, kind, n)
			return
		}
	}
	if text == "overflow" { // even after "echo overflow": to look anew is never wrong
		c.overflow(l)
		return
	}
	if len(l.calls) > 0 && l.calls[0].begun && l.calls[0].take(text) {
		return
	}
	c.happened(parse(text))
}

// take keeps a line that came while the command was carried out. It reports whether that is its own answer, and no
// event for others.
func (k *call) take(text string) bool {
	k.Lines = append(k.Lines, text)
	if k.echo != "" && text == k.echo {
		k.echo = ""
		return true
	}
	verb, rest, _ := strings.Cut(text, "\t")
	switch verb {
	case "error":
		k.Error = newError(k.text, rest)
		return true
	case "warning":
		k.Warnings = append(k.Warnings, rest)
		return true
	case "log.filter", "memory":
		return true
	}
	if warning, ok := strings.CutPrefix(text, "warning: "); ok {
		k.Warnings = append(k.Warnings, warning)
		return true
	}
	return false
}

// mark ends all calls that the mark has overtaken, and begins or ends its own.
func (c *Client) mark(l *link, kind string, number int) {
	for len(l.calls) > 0 && l.calls[0].number <= number {
		k := l.calls[0]
		if k.number == number && kind == "begin" {
			c.begin(k)
			return
		}
		l.calls = l.calls[1:]
		k.lost = k.lost || !k.begun || k.number < number
		c.end(k)
	}
}

func (c *Client) begin(k *call) {
	k.begun = true
	if k.dump {
		c.dump = newSeen()
	}
}

func (c *Client) end(k *call) {
	if k.lost {
		k.err = ErrLost
	}
	if k.dump && !k.lost {
		c.complete()
	}
	close(k.done)
}

// overflow says that lines were dropped, marks among them.
func (c *Client) overflow(l *link) {
	if len(l.calls) > 0 && l.calls[0].begun {
		l.calls[0].lost = true
	}
	c.synced = false
	for s := range c.subs {
		s.lose(ErrOverflow)
	}
	c.resync()
}

// resync asks for the whole state, unless a dump that is asked for has not begun.
func (c *Client) resync() {
	c.dump = nil
	for _, k := range c.link.calls {
		if k.dump && !k.begun {
			return
		}
	}
	c.link.enqueue(c.nonce, "statedump").dump = true
}

// complete ends a statedump of ours: what it did not tell of is gone.
func (c *Client) complete() {
	c.state.keepOnly(c.dump)
	c.dump, c.synced = nil, true
	for s := range c.subs {
		s.tell(&c.state)
	}
	c.look()
}

// happened follows an event and passes it on.
func (c *Client) happened(event Event) {
	c.state.apply(event)
	if c.dump != nil {
		c.dump.add(event)
	}
	if e, ok := event.(ServiceTags); ok {
		for h := range c.tags {
			h.add(e)
		}
	}
	for s := range c.subs {
		s.add(event, &c.state)
	}
	c.look()
}

// look lets those who wait for a state have a look at it.
func (c *Client) look() {
	if !c.synced {
		return
	}
	for w := range c.waits {
		w.look(&c.state)
	}
}
