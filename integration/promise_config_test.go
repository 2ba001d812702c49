package integration

import (
	"fmt"
	"strings"
	"testing"
)

// TestPromiseConfigStillBeingWritten writes a configuration into stdin piece by piece, even half lines, while its first
// services run already.
func TestPromiseConfigStillBeingWritten(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-c", "-", "-S", "{dir}/ctl"}}.start(t)
	watch := d.client("watch")
	before := openDescriptors(d.pid)
	config := &controller{lines: d.out, w: d.stdin}
	first := d.text("fd.pipe⇥in⇥out\nservice.args⇥cat⇥{helper cat}\nservice.fds⇥cat⇥in⇥stdout⇥stderr\nservice.start⇥cat\n")
	half := len(first) - 5
	config.raw(first[:half])
	watch.await("service.fds⇥cat⇥in⇥stdout⇥stderr") // and the last line is not complete
	if state := watch.services()["cat"]; state[2] != "down" {
		t.Errorf("half a line has had an effect: %q", state)
	}
	config.raw(first[half:])
	watch.await("service.state⇥cat⇥up⇥{now}⇥{pid=cat}⇥-⇥-⇥0⇥-")

	config.raw("service.args\tsay")
	// The config is within a line; the service works, and so does everybody else.
	watch.send("service.args⇥other⇥{helper print}⇥1⇥from another", "service.fds⇥other⇥null⇥out⇥stderr", "service.start⇥other")
	d.out.expect("from another")
	watch.expectDown("other", "service.state⇥other⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥{int}")
	config.raw(d.text("⇥{helper print}⇥1⇥from the config\nservice.fds⇥say⇥null⇥out⇥stderr\nservice.start⇥say"))
	d.stdin.Close()
	d.out.expect("from the config")
	d.log.expect("warning: Command ends with EOF... processing anyway")
	watch.expectDown("say", "service.state⇥say⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥{int}")

	watch.send("fd.delete⇥out")
	d.out.expect("end of input")
	watch.expectDown("cat", "service.state⇥cat⇥down⇥{now}⇥{cat}⇥exit⇥0⇥{int}⇥{int}")
	watch.send("fd.delete⇥in")
	watch.await("fd.state⇥in⇥deleted")
	d.expectFootprint(before)
}

// expectFootprint requires that the daemon has no child and no more descriptors than before. Tests without an
// interactive controller end with it.
func (d *daemon) expectFootprint(before map[int]string) {
	d.t.Helper()
	d.eventually(fmt.Sprintf("no child, and no descriptors but %q", sorted(before)), func() bool {
		return len(children(d.pid)) == 0 && held(openDescriptors(d.pid)) <= held(before)
	})
}

// TestTraceShowsWhatIsSent: a controller that gets no events is not said to have got any.
func TestTraceShowsWhatIsSent(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-vv", "-i", "-c", "{dir}/config"}, files: map[string]string{"config": "echo\tfrom the config\n"}}.start(t)
	d.i.send("echo⇥one", "echo⇥two", "memory⇥", "echo⇥three")
	d.i.await("three")
	var shown []string
	for line := ""; line != "debug: controller[0] event: three"; {
		line = d.log.await("debug: controller[{int}] event: {any}")
		shown = append(shown, line)
	}
	for _, line := range shown {
		if strings.HasSuffix(line, "from the config") {
			t.Errorf("got %q", shown)
		}
	}
}
