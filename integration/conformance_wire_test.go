package integration

import (
	"fmt"
	"os"
	"testing"
)

func init() {
	register(map[string]func(*testing.T){
		"C057_last_line_of_a_config_is_executed":   lastLineOfAConfig,
		"C058_last_line_of_a_client_is_ignored":    lastLineOfAClient,
		"C065_long_statedump_to_a_slow_reader":     longStatedumpToASlowReader,
		"C160_all_answers_after_half_closed_burst": allAnswersAfterABurst,
	})
}

func lastLineOfAConfig(t *testing.T) {
	for _, args := range [][]string{{"-c", "{dir}/conf"}, {"-c", "-"}} {
		d := setup{args: args, files: map[string]string{"conf": "nosuch.one\nnosuch.two"}}.start(t)
		fmt.Fprint(d.stdin, "nosuch.one\nnosuch.two")
		d.stdin.Close()
		d.log.expect("error: controller[0] sent unknown command nosuch.one")
		d.log.expect("warning: Command ends with EOF... processing anyway")
		d.log.expect("error: controller[0] sent unknown command nosuch.two")
	}
	d := setup{args: []string{"-c", "{dir}/conf"}, files: map[string]string{"conf": "# comment"}}.start(t)
	d.log.expect("warning: Command ends with EOF... processing anyway")
}

func lastLineOfAClient(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	a.raw("echo\tdropped")
	a.shut()
	a.expectEOF()
	d.log.expect("warning: Command ends with EOF... ignored")
	d.i.raw("echo\tdropped")
	d.i.shut()
	d.i.expectEOF()
	d.log.expect("warning: Command ends with EOF... ignored", "info: interactive session ended", "info: daemonproxy exiting")
	d.expectExit(0)
}

// longStatedumpToASlowReader has a pipe of one page for its events, so that the daemon is blocked most of the time.
func longStatedumpToASlowReader(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	shrinkPipe(t, d.out.src.(*os.File))
	a := d.client("a")
	const services = 160
	for n := range services {
		a.send(fmt.Sprintf("service.tags⇥s%03d⇥{repeat 400 t}", n))
		a.expect(fmt.Sprintf("service.tags⇥s%03d⇥{repeat 400 t}", n))
		d.i.expect(fmt.Sprintf("service.tags⇥s%03d⇥{repeat 400 t}", n))
	}
	d.i.send("statedump", "echo⇥end of dump")
	for round := range 10 {
		a.send("service.tags⇥zz⇥", fmt.Sprintf("echo⇥round %d", round))
		a.await(fmt.Sprintf("round %d", round))
	}
	bytes, states, tags := 0, 0, 0
	for _, line := range d.i.until("end of dump") {
		bytes += len(line) + 1
		switch {
		case line == "overflow":
			t.Error("overflow")
		case d.match("service.state⇥s{any}", line):
			states++
		case d.match("service.tags⇥s{any}⇥{repeat 400 t}", line):
			tags++
		}
	}
	if bytes < 64<<10 || states != services || tags != services {
		t.Errorf("%d bytes with %d states and %d tags", bytes, states, tags)
	}
}

func allAnswersAfterABurst(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.dial("a")
	const commands = 1000
	burst := ""
	for n := range commands {
		burst += fmt.Sprintf("echo\tanswer %d %0100d\n", n, n)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		a.raw(burst)
		a.shut()
	}()
	for n := range commands {
		a.expect(fmt.Sprintf("answer %d %0100d", n, n))
	}
	a.expectEOF()
	<-sent
	d.i.sync()
}
