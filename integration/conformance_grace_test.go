package integration

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func init() {
	register(map[string]func(*testing.T){
		"C206_end_of_main_ends_the_services":    endOfMainEndsTheServices,
		"C207_wait_ends_when_all_are_gone":      waitEndsWhenAllAreGone,
		"C208_no_grace":                         noGrace,
		"C216_second_signal_shortens_the_grace": secondSignalShortensTheGrace,
	})
}

// stubborn defines a service that does not end when it is asked to.
const stubborn = "service.args\tstubborn\t{helper stubborn}\nservice.fds\tstubborn\tnull\tstdout\tstderr\nservice.start\tstubborn\n"

// obedient is many that do.
func obedient(n int) (config string) {
	for i := range n {
		config += fmt.Sprintf("service.args\ts%d\t{helper hang}\nservice.auto_up\ts%d\t1\talways\n", i, i)
	}
	return config
}

// entryWithStubborn returns once main and the stubborn service run, with their pids as {main} and {stubborn}. Main ends
// with 3 when its input does.
func entryWithStubborn(t *testing.T, more string, options ...string) (*daemon, *controller) {
	t.Helper()
	d := entryWith(t, stubborn+more, words(options, "--", "/bin/sh", "-c", "read x; exit 3")...)
	a := d.client("a")
	d.openGate()
	a.awaitAll("service.state⇥main⇥up⇥{now}⇥{pid=main}⇥-⇥-⇥0⇥-", "service.state⇥stubborn⇥up⇥{now}⇥{pid=stubborn}⇥-⇥-⇥0⇥-")
	d.out.expect("stubborn is ready")
	return d, a
}

func endOfMainEndsTheServices(t *testing.T) {
	d, a := entryWithStubborn(t, obedient(2)+"service.args\tlater\t{helper hang}\nservice.start\tlater\t999999999\n", "--grace", "2")
	before := monotonic()
	d.stdin.Close()
	// What is pending is cancelled, what runs is told to end, and nothing starts again.
	a.awaitAll("service.state⇥later⇥down⇥-⇥-⇥-⇥-⇥-⇥-",
		"service.state⇥s0⇥down⇥{now}⇥{pid}⇥signal⇥SIGTERM⇥{int}⇥0", "service.state⇥s1⇥down⇥{now}⇥{pid}⇥signal⇥SIGTERM⇥{int}⇥0")
	d.out.expect("stubborn got SIGTERM")
	after := monotonic()
	// Commands are served during the wait.
	a.send("service.start⇥s0")
	a.expect(`error⇥service is not startable, for command "service.start⇥s0"`)
	a.send("service.auto_up⇥s1⇥1⇥always")
	a.expect("service.auto_up⇥s1⇥1⇥always")
	d.log.await("info: waiting for service 'stubborn' running as pid {stubborn}")
	expectDelay(t, "first line", before, after, monotonic(), time.Second)
	d.log.expect("warning: killed service 'stubborn' running as pid {stubborn}")
	expectDelay(t, "kill", before, after, monotonic(), 2*time.Second)
	a.expect("service.state⇥stubborn⇥down⇥{now}⇥{stubborn}⇥signal⇥SIGKILL⇥{int}⇥0")
	a.expectEOF()
	d.log.expect("info: daemonproxy exiting")
	d.log.expectEOF()
	d.expectExit(3)
}

func waitEndsWhenAllAreGone(t *testing.T) {
	d := entryWith(t, obedient(20), "--grace", "30", "--", "/bin/sh", "-c", "read x; exit 3")
	a := d.client("a")
	d.openGate()
	var up []string
	for i := range 20 {
		up = append(up, fmt.Sprintf("service.state⇥s%d⇥up⇥{now}⇥{pid}⇥-⇥-⇥0⇥-", i))
	}
	a.awaitAll(up...)
	begun := time.Now()
	d.stdin.Close()
	d.expectExit(3)
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if log := d.log.rest(); !slices.Equal(log, []string{"info: daemonproxy exiting"}) {
		t.Errorf("the log is %q", log)
	}

	// Also if the last of them goes during the wait.
	d, a = entryWithStubborn(t, "", "--grace", "30")
	d.stdin.Close()
	d.out.expect("stubborn got SIGTERM")
	d.log.await("info: waiting for service 'stubborn' running as pid {stubborn}")
	a.send("service.signal⇥stubborn⇥KILL")
	d.expectExit(3)
}

func noGrace(t *testing.T) {
	d, _ := entryWithStubborn(t, "", "--grace", "0")
	begun := time.Now()
	d.stdin.Close()
	d.log.await("warning: killed service 'stubborn' running as pid {stubborn}")
	d.expectExit(3)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func secondSignalShortensTheGrace(t *testing.T) {
	for _, name := range []string{"TERM", "INT"} {
		d, a := entryWithStubborn(t, "", "--grace", "1000")
		d.signal("TERM") // ends main
		a.await("service.state⇥main⇥down⇥{now}⇥{main}⇥signal⇥SIGTERM⇥{int}⇥0")
		d.out.expect("stubborn got SIGTERM")
		d.signal("HUP") // asks for nothing
		d.log.await("info: waiting for service 'stubborn' running as pid {stubborn}")
		d.signal(name)
		d.log.await("warning: killed service 'stubborn' running as pid {stubborn}")
		d.expectExit(143)
	}
}
