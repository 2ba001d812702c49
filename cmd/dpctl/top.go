package main

import (
	"context"
	"os/signal"
	"syscall"
	"time"

	"daemonproxy/controller/client"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
	"github.com/spf13/cobra"
)

func newTopCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "top",
		Short: "Show services live, and start, stop and restart them by keys",
		Long: `top shows all services and follows what happens to them. RESTARTS counts the starts since top began. CPU% is the share of
one processor that the program used in the last second, MEM its resident memory; both are those of the process alone, without
its children, and "-" if /proc does not show it.

  Up, Down, k, j  choose a service
  s               start it
  x, then y       stop it, as dpctl stop does
  r, then y       restart it
  /               show only services whose name contains a text; Enter keeps it, Escape forgets it
  q, Ctrl-C       end; what was begun by a key is not finished then`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return p.top() },
	}
}

func (p *program) top() error {
	if !isTerminal(p.out) {
		return fail(exitFailed, "top needs a terminal; elsewhere use dpctl status --watch")
	}
	c, err := p.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	return newTop(p, c).run(ctx)
}

// top is the live view. All but c belongs to the goroutine of the application; others hand it functions to call.
type top struct {
	*program
	c      *client.Client
	app    *tview.Application
	head   *tview.TextView
	list   *tview.Table
	foot   *tview.TextView
	usage  map[string]*usageOfRun
	runs   map[string]*runs
	shown  []string // the services in the table, by row
	keys   keys
	ctx    context.Context
	failed error // why it ends
}

func newTop(p *program, c *client.Client) *top {
	tview.Styles.PrimitiveBackgroundColor, tview.Styles.PrimaryTextColor = tcell.ColorDefault, tcell.ColorDefault
	t := &top{program: p, c: c, app: tview.NewApplication(), usage: map[string]*usageOfRun{}, runs: map[string]*runs{}}
	t.head, t.foot, t.list = tview.NewTextView(), tview.NewTextView(), tview.NewTable()
	t.head.SetWrap(false)
	t.foot.SetWrap(false) // a long message must not push away what is asked
	t.list.SetFixed(1, 0).SetSelectable(true, false).SetSelectedStyle(tcell.StyleDefault.Reverse(true))
	screen := tview.NewFlex().SetDirection(tview.FlexRow).
		AddItem(t.head, 1, 0, false).AddItem(t.list, 0, 1, true).AddItem(t.foot, 2, 0, false)
	t.app.SetRoot(screen, true).SetInputCapture(t.key)
	return t
}

// run shows it until q, a signal, or the end of the connection. What changes often is drawn once in a while.
func (t *top) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t.ctx = ctx
	changed, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() { ended <- t.countRuns(ctx, changed) }()
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-changed:
				t.app.QueueUpdateDraw(t.refresh)
			case <-tick.C:
				t.app.QueueUpdateDraw(func() { t.measure(); t.refresh() })
			case err := <-ended:
				t.app.QueueUpdate(func() { t.failed = err; t.app.Stop() })
				return
			}
		}
	}()
	t.measure()
	t.refresh()
	err := t.app.Run()
	switch {
	case err != nil:
		return fail(exitFailed, "top cannot use this terminal: %v", err)
	case ctx.Err() != nil:
		return fail(exitFailed, "top was ended by a signal")
	}
	return t.failed
}

// runs counts the runs of a service that began since top did.
type runs struct {
	pid   int
	time  int64
	count int
}

// countRuns follows events and says when there is something new to show.
func (t *top) countRuns(ctx context.Context, changed chan<- struct{}) error {
	counting := false // what there is at first is counted as nothing
	for event, err := range t.c.Events(ctx) {
		if err != nil {
			return err
		}
		switch e := event.(type) {
		case client.Synced:
			counting = true
		case client.ServiceState:
			t.app.QueueUpdate(func() { t.countRun(e, counting) })
		}
		select {
		case changed <- struct{}{}:
		default: // it is to be drawn anyway
		}
	}
	return nil
}

// countRun counts a run that is not the one known. Those that an overflow hid can't be seen.
func (t *top) countRun(e client.ServiceState, counting bool) {
	r := t.runs[e.Name]
	switch {
	case e.State == client.Deleted:
		delete(t.runs, e.Name)
	case e.State != client.Up:
	case r == nil:
		r = &runs{}
		t.runs[e.Name] = r
		fallthrough
	case r.pid != e.PID || r.time != e.Time:
		if counting {
			r.count++
		}
		r.pid, r.time = e.PID, e.Time
	}
}
