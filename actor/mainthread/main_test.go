package mainthread

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// The test binary is re-executed as a program with duties (role "end"), and is
// executed on exit (role "show").
const (
	roleVariable = "MAINTHREAD_TEST_ROLE"
	planVariable = "MAINTHREAD_TEST_PLAN"
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "end":
		end()
	case "show":
		show()
	}
	goleak.VerifyTestMain(m)
}

// plan is what the program with duties is to do.
type plan struct {
	Guard   int64
	Args    string
	How     string // Leave, Fatal, Quit, FatalSignal, InternalError, Kept, or one of collapse_test.go
	Code    int64
	Text    string
	Path    *string // PATH in the environment that it knows
	Running map[string]int
	Swell   int    // bytes more in that environment
	Stack   uint64 // limit of the stack, 0 for as it is
}

type stderrSink struct{}

func (stderrSink) FD() int  { return 2 }
func (stderrSink) Release() {}

// end carries the plan out. It prints "returned" if that did not end it.
func end() {
	var p plan
	if err := json.Unmarshal([]byte(os.Getenv(planVariable)), &p); err != nil {
		panic(err)
	}
	log := logger.New()
	log.Attach([]byte("stderr"), stderrSink{})
	environ := []string{roleVariable + "=show", "KEPT=1", "DAEMONPROXY_ERROR=old", "DAEMONPROXY_EXITCODE=old"}
	if p.Path != nil {
		environ = append(environ, "PATH="+*p.Path)
	}
	if p.Swell > 0 {
		environ = append(environ, "SWELL="+strings.Repeat("x", p.Swell))
	}
	d := New(log, environ)
	if strings.Contains(p.How, "Collapse") {
		outlive(d, p)
	}
	d.Guard.Store(p.Guard)
	d.Args.Set([]byte(p.Args))
	for name, pid := range p.Running {
		e := new(Entry)
		d.Running.Add(e)
		e.Started([]byte(name), pid)
	}
	switch p.How {
	case "Leave":
		d.Leave(End{p.Code, p.Text})
	case "Terminate, EndSession":
		d.Terminate(p.Code, p.Text)
		d.EndSession()
		d.Leave(d.Ending())
	case "EndSession":
		d.EndSession()
		d.Leave(d.Ending())
	case "Fatal":
		d.Fatal(p.Code, p.Text)
	case "Quit":
		d.Quit(p.Code)
	case "FatalSignal":
		d.FatalSignal(protocol.Signal(p.Code), int(p.Code))
	case "InternalError":
		d.InternalError(p.Text)
	case "Kept":
		keep(d)
		d.Leave(End{p.Code, p.Text})
	case "Collapse":
		raise()
	case "KeptCollapse":
		keep(d)
		raise()
	case "PanicCollapse":
		go panic(p.Text)
		select {}
	case "CollapseInChange":
		collapseInChange(d)
	}
	log.Flush(time.Second)
	fmt.Println("returned")
	os.Exit(0)
}

// keep has descriptors and signals that the exec must see to.
func keep(d *Duties) {
	kept, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil || unix.Dup3(kept, 50, unix.O_CLOEXEC) != nil || unix.Dup3(kept, 51, unix.O_CLOEXEC) != nil {
		panic(err)
	}
	unix.CloseOnExec(1)
	d.Kept = func(keep func(int)) { keep(50) }
	signal.Ignore(unix.SIGTTOU, unix.SIGHUP)
	signal.Notify(make(chan os.Signal, 1), unix.SIGTERM)
}

// outlive prepares for the end of the runtime.
func outlive(d *Duties, p plan) {
	if p.Stack > 0 {
		if err := unix.Setrlimit(unix.RLIMIT_STACK, &unix.Rlimit{Cur: p.Stack, Max: p.Stack}); err != nil {
			panic(err)
		}
	}
	d.OutliveRuntime(syscall.Rlimit{}, false)
}

// raise gives up as the runtime does.
func raise() {
	runtime.LockOSThread()
	unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGABRT)
}

// collapseInChange gives up while others change the arguments: those of each are
// its letter, a number of times.
func collapseInChange(d *Duties) {
	var begun sync.WaitGroup
	for i := range 3 {
		begun.Add(1)
		go func() {
			text := []byte("/proc/self/exe" + strings.Repeat("\t"+strings.Repeat(string(rune('a'+i)), 10*(i+1)), 30*(i+1)))
			for n := 0; ; n++ {
				d.Args.Set(text)
				if n == 5 {
					begun.Done()
				}
			}
		}()
	}
	begun.Wait()
	raise()
}

// show says what a program executed on exit can see.
func show() {
	fmt.Printf("argv %q\n", os.Args)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PATH=") {
			fmt.Println(v)
		}
	}
	for fd := 50; fd <= 51; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			fmt.Println("open", fd)
		}
	}
	os.Exit(77)
}

// ended is what became of a program with duties.
type ended struct {
	code           int
	pid            int
	stdout, stderr string
}

// carryOut runs the plan in a process of its own.
func carryOut(t *testing.T, p plan, dir string) ended {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), roleVariable+"=end", planVariable+"="+string(text))
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return ended{cmd.ProcessState.ExitCode(), cmd.Process.Pid, out.String(), log.String()}
}

func (e ended) want(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	if e.code != code {
		t.Errorf("exit code %d, want %d", e.code, code)
	}
	if e.stdout != stdout {
		t.Errorf("stdout:\n%s\nwant:\n%s", e.stdout, stdout)
	}
	if e.stderr != stderr {
		t.Errorf("stderr:\n%s\nwant:\n%s", e.stderr, stderr)
	}
}
