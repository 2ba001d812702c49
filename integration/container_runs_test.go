package integration

import (
	"testing"
	"time"
)

// TestContainers runs the entrypoint in containers as engines make them.
func TestContainers(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		for name, test := range map[string]func(*testing.T, *engine){
			"status":                  containerStatus,
			"TERM":                    containerTerm,
			"mapped TERM":             containerMappedTerm,
			"grace":                   containerGrace,
			"no grace where not used": containerEndsEarly,
			"shell":                   containerShell,
			"Ctrl-C":                  containerCtrlC,
		} {
			t.Run(e.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				test(t, e)
			})
		}
	}
}

func containerStatus(t *testing.T, e *engine) {
	for _, tt := range []struct {
		words  []string
		status int
	}{
		{[]string{"/bin/sh", "-c", "exit 0"}, 0},
		{[]string{"sh", "-c", "exit 3"}, 3},
		{[]string{"sh", "-c", "exit 255"}, 255},
		{[]string{"sh", "-c", "kill -KILL $$"}, 137},
		{[]string{"sh", "-c", "kill -TERM $$"}, 143},
		{[]string{"/no/such/program"}, 127},
		{[]string{"nosuchprogram"}, 127},
		{[]string{"/script"}, 127},
		{[]string{"/bin"}, 126},
		{[]string{"/conf/x"}, 126},
	} {
		c := e.container(t, "", false, append([]string{"--"}, tt.words...)...)
		c.out.await("info: daemonproxy exiting")
		if got := c.status(); got != tt.status {
			t.Errorf("%q: status %d, want %d", tt.words, got, tt.status)
		}
	}
}

// obliging is a program that says which signal it gets, and ends with 5.
const obliging = `trap "echo got TERM; exit 5" TERM; trap "echo got QUIT; exit 6" QUIT; echo ready; while :; do read x <>/fifo; done`

func containerTerm(t *testing.T, e *engine) {
	c := e.container(t, "", false, "--", "sh", "-c", obliging)
	c.out.await("ready")
	e.signal(c, "TERM")
	c.out.await("got TERM")
	c.expectStatus(5)
}

func containerMappedTerm(t *testing.T, e *engine) {
	c := e.container(t, "", false, "--signal-map", "TERM=QUIT", "--", "sh", "-c", obliging)
	c.out.await("ready")
	e.signal(c, "TERM")
	c.out.await("got QUIT")
	c.expectStatus(6)
}

// containerGrace has a helper that does not care for SIGTERM.
func containerGrace(t *testing.T, e *engine) {
	config := "service.args\tdeaf\tsh\t-c\ttrap \"echo deaf\" TERM; echo listening; while :; do read x <>/fifo; done\n" +
		"service.fds\tdeaf\tnull\tstdout\tstderr\nservice.start\tdeaf\n"
	c := e.container(t, config, false, "-c", "/conf", "--grace", "2", "--", "sh", "-c", obliging)
	c.out.awaitAll("ready", "listening")
	before := monotonic()
	e.signal(c, "TERM")
	c.out.awaitAll("got TERM", "deaf")
	after := monotonic()
	c.out.await("info: waiting for service 'deaf' running as pid {pid=p}")
	c.out.await("warning: killed service 'deaf' running as pid {p}")
	expectDelay(t, "kill", before, after, monotonic(), 2*time.Second)
	c.expectStatus(5)
}

// containerEndsEarly has programs that take 100 ms each to end. The limit of this test is much less than the grace.
func containerEndsEarly(t *testing.T, e *engine) {
	slow := `trap "sleep 0.1; echo slow; exit 7" TERM; echo ready; while :; do read x <>/fifo; done`
	config := "service.args\tslow\tsh\t-c\t" + slow + "\nservice.fds\tslow\tnull\tstdout\tstderr\nservice.start\tslow\n"
	c := e.container(t, config, false, "-c", "/conf", "--grace", "1000", "--", "sh", "-c", slow)
	c.out.await("ready")
	c.out.await("ready")
	e.signal(c, "TERM")
	c.out.await("slow")
	c.out.await("slow")
	c.expectStatus(7)
}

// containerShell has job control of its own. Lines may end in a carriage return, and be echoed. What is typed before the
// prompt comes may be taken by the program that ends.
func containerShell(t *testing.T, e *engine) {
	const prompt = "{any}prompt{any}"
	c := e.container(t, "", true, "--", "sh", "-i")
	c.input(`PS1='pro''mpt\n'`)
	c.out.await(prompt)
	c.input(`sh -c 'echo job $((40+2)) runs; exec cat'`)
	c.out.await("{any}job 42 runs{any}")
	c.key(ctrlZ)
	c.out.await("{any}Stopped{any}")
	c.out.await(prompt)
	c.input("echo the shell $((40+3)) goes on")
	c.out.await("{any}the shell 43 goes on{any}")
	c.out.await(prompt)
	c.input("fg")
	c.out.await("{any}exec cat{any}")
	c.input("hello")
	c.out.await("hello{any}")
	c.key(ctrlC)
	c.out.await(prompt)
	c.input("echo status $?.")
	c.out.await("{any}status {int=status}.{any}")
	if c.num("status") != 130 {
		t.Errorf("Ctrl-C gave %d", c.num("status"))
	}
	c.out.await(prompt)
	c.input("exit 6", "exit 6") // once may not be enough for a shell with jobs that it takes to be stopped
	c.expectStatus(6)
}

// containerCtrlC also sees that Ctrl-Z, after which nobody could have process 1 go on, stops nothing.
func containerCtrlC(t *testing.T, e *engine) {
	c := e.container(t, "", true, "--", "sh", "-c", `echo job $((40+2)) runs; while read x; do echo "read $x."; done`)
	c.out.await("{any}job 42 runs{any}")
	for range 2 {
		c.key(ctrlZ)
		c.input("hello")
		c.out.await("{any}read hello.{any}")
	}
	c.key(ctrlC)
	c.out.await("{any}info: daemonproxy exiting{any}")
	c.expectStatus(130)
}
