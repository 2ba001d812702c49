package integration

import (
	"testing"
	"time"
)

func init() {
	register(map[string]func(*testing.T){
		"C094_current_second_means_now":               currentSecondMeansNow,
		"C095_future_start_is_not_early":              futureStartIsNotEarly,
		"C111_short_run_restarts_after_the_interval":  shortRunRestartsAfterTheInterval,
		"C112_long_run_restarts_at_once":              longRunRestartsAtOnce,
		"C159_service_controller_waits_for_a_slot":    serviceControllerWaitsForASlot,
		"C161_client_that_never_reads_is_closed":      clientThatNeverReadsIsClosed,
		"C186_terminate_does_not_wait_for_the_client": terminateDoesNotWaitForTheClient,
	})
}

// currentSecondMeansNow tries again when the clock ticked between the look at it and the command.
func currentSecondMeansNow(t *testing.T) {
	d := start(t, "-i")
	d.i.send("service.args⇥s⇥{helper exit}")
	d.i.expect("service.args⇥s⇥{any}")
	for range 10 {
		d.i.send("service.start⇥s⇥{now}")
		line, err := d.i.next(d.limit)
		if err != nil {
			t.Fatal(err)
		}
		if d.match("error⇥invalid timestamp, for command {any}", line) {
			continue
		}
		if !d.match("service.state⇥s⇥start⇥{now}⇥-⇥-⇥-⇥-⇥-", line) {
			t.Fatalf("got %q", line)
		}
		d.i.expect("service.state⇥s⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-", "service.state⇥s⇥down⇥{any}")
		return
	}
	t.Error("the current second is refused every time")
}

func futureStartIsNotEarly(t *testing.T) {
	d := start(t, "-i")
	d.i.send("service.args⇥s⇥{helper exit}")
	d.i.expect("service.args⇥s⇥{any}")
	due := monotonicSecond() + 2
	d.setInt("t", int(due))
	d.i.send("service.start⇥s⇥{t}")
	d.i.expect("service.state⇥s⇥start⇥{t}⇥-⇥-⇥-⇥-⇥-")
	d.i.expect("service.state⇥s⇥up⇥{now=up}⇥{pid}⇥-⇥-⇥0⇥-")
	arrived := monotonic()
	if early := time.Duration(due)*time.Second - arrived; early > 0 {
		t.Errorf("started %v early", early)
	}
	if up := int64(d.num("up")); up < due || up > due+10 {
		t.Errorf("due at %d, up at %d", due, up)
	}
}

// killed ends the service s, and returns the moment just before.
func (d *daemon) killed() time.Duration {
	d.t.Helper()
	moment := monotonic()
	d.kill(d.num("p"))
	return moment
}

// shortRunRestartsAfterTheInterval lets the service run for one to two of three seconds: a full interval counts from
// its exit, not from its start.
func shortRunRestartsAfterTheInterval(t *testing.T) {
	d := setup{args: []string{"-i"}}.start(t)
	d.i.send("service.args⇥s⇥{helper hang}", "service.args⇥later⇥{helper exit}", "service.auto_up⇥s⇥3⇥always")
	d.i.await("service.state⇥s⇥up⇥{now=up}⇥{pid=p}⇥-⇥-⇥0⇥-")
	d.i.send("service.start⇥later⇥{up+2}")
	d.i.await("service.state⇥later⇥down⇥{any}")
	before := d.killed()
	d.i.expect("service.state⇥s⇥down⇥{now=down}⇥{p}⇥signal⇥SIGKILL⇥{int}⇥0")
	after := monotonic()
	d.i.expect("service.state⇥s⇥start⇥{int=due}⇥-⇥-⇥-⇥-⇥-")
	d.i.expect("service.state⇥s⇥up⇥{now=up}⇥{pid}⇥-⇥-⇥0⇥-")
	restarted := monotonic()
	if d.num("due") != d.num("down")+3 || d.num("up") < d.num("due") {
		t.Errorf("down at %d, due at %d, up at %d", d.num("down"), d.num("due"), d.num("up"))
	}
	expectDelay(t, "restart", before, after, restarted, 3*time.Second)
}

// expectDelay checks a promised delay after something that happened between two moments.
func expectDelay(t *testing.T, what string, notBefore, notAfter, end, promised time.Duration) {
	t.Helper()
	if end-notBefore < promised {
		t.Errorf("%s %v early", what, promised-(end-notBefore))
	}
	if end-notAfter > 10*promised {
		t.Errorf("%s only after %v", what, end-notAfter)
	}
}

func longRunRestartsAtOnce(t *testing.T) {
	d := start(t, "-i")
	d.i.send("service.args⇥s⇥{helper hang}", "service.args⇥later⇥{helper exit}", "service.auto_up⇥s⇥2⇥always")
	d.i.await("service.state⇥s⇥up⇥{now=up}⇥{pid=p}⇥-⇥-⇥0⇥-")
	d.i.send("service.start⇥later⇥{up+3}")
	d.i.await("service.state⇥later⇥down⇥{any}")
	before := d.killed()
	d.i.expect("service.state⇥s⇥down⇥{now=down}⇥{p}⇥signal⇥SIGKILL⇥{int=run}⇥0")
	d.i.expect("service.state⇥s⇥start⇥{now=due}⇥-⇥-⇥-⇥-⇥-")
	d.i.expect("service.state⇥s⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-")
	if took := monotonic() - before; took >= 2*time.Second {
		t.Errorf("restarted after %v", took)
	}
	if d.num("due")-d.num("down") > 1 || d.num("run") < 2 {
		t.Errorf("ran %d s, down at %d, due at %d", d.num("run"), d.num("down"), d.num("due"))
	}
}

func serviceControllerWaitsForASlot(t *testing.T) {
	d := setup{args: []string{"--max-clients", "2", "-i", "-S", "{dir}/ctl"}}.start(t)
	a := d.client("a")
	d.i.send("service.args⇥s⇥{helper talk}", "service.fds⇥s⇥control.socket")
	d.i.await("service.fds⇥s⇥control.socket")
	before := monotonic()
	d.i.send("service.start⇥s")
	d.i.expect("service.state⇥s⇥start⇥{now=t}⇥-⇥-⇥-⇥-⇥-")
	d.i.expect("service.state⇥s⇥start⇥{int=due}⇥-⇥-⇥-⇥-⇥-")
	after := monotonic()
	d.log.expect("error: can't allocate controller object", "info: will retry in 3 seconds")
	if wait := d.num("due") - d.num("t"); wait < 3 || wait > 4 {
		t.Errorf("tried at %d, due at %d", d.num("t"), d.num("due"))
	}
	a.close()
	d.i.expect("service.state⇥s⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-")
	expectDelay(t, "retry", before, after, monotonic(), 3*time.Second)
}

// block fills everything between the daemon and a client that does not read: its outbox and the socket.
func (d *daemon) block() {
	d.t.Helper()
	for n := range 100 {
		d.setInt("n", n)
		d.i.send("service.tags⇥s⇥{n} {repeat 4000 x}")
		d.i.expect("service.tags⇥s⇥{n} {repeat 4000 x}")
	}
}

func clientThatNeverReadsIsClosed(t *testing.T) {
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	a := d.client("a")
	a.send("conn.event_timeout⇥1⇥2")
	a.sync()
	before := monotonic()
	d.block()
	after := monotonic()
	d.log.expect("warning: controller 1 blocked pipe for {int=s} seconds")
	warned := monotonic()
	d.log.expect("error: controller 1 blocked pipe for {int=c} seconds, closing connection")
	closed := monotonic()
	expectDelay(t, "warning", before, after, warned, time.Second)
	expectDelay(t, "close", before, after, closed, 2*time.Second)
	if d.num("s") < 1 || d.num("c") < 2 {
		t.Errorf("blocked for %d and %d seconds", d.num("s"), d.num("c"))
	}
	if last := a.rest(); len(last) == 0 {
		t.Error("the client has received nothing")
	}
	d.i.sync()
	d.logSync()
}

func terminateDoesNotWaitForTheClient(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	d.client("a")
	d.block()
	begun := time.Now()
	d.i.send("terminate⇥5")
	d.expectExit(5)
	if took := time.Since(begun); took > 1500*time.Millisecond {
		t.Errorf("terminate took %v", took)
	}
}
