package mainthread

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"daemonproxy/controller/protocol"
)

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExecEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		plan
		code, text string
	}{
		"terminate":        {plan{How: "Leave", Code: 300, Text: TerminatedNormally}, "300", "terminated normally"},
		"negative":         {plan{How: "Leave", Code: -1, Text: TerminatedNormally}, "-1", "terminated normally"},
		"fatal":            {plan{How: "Fatal", Code: 3, Text: "It broke = badly"}, "3", "It broke = badly"},
		"fatal with guard": {plan{How: "Fatal", Code: 3, Text: "broken", Guard: 1}, "3", "broken"},
		"signal":           {plan{How: "FatalSignal", Code: 11}, "4", "Received signal SIGSEGV (11)"},
		"help":             {plan{How: "Quit", Code: 1}, "1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.Args = self(t) + "\tone\t\ttwo words\t"
			c.Running = map[string]int{"s": 9}
			e := carryOut(t, c.plan, "")
			e.want(t, 77, fmt.Sprintf("argv %q\n%s=show\nKEPT=1\nDAEMONPROXY_EXITCODE=%s\nDAEMONPROXY_ERROR=%s\n",
				[]string{self(t), "one", "", "two words", ""}, roleVariable, c.code, c.text),
				"warning: daemonproxy exec_on_exit to '"+self(t)+"'\nwarning: service 's' running as pid 9\n")
		})
	}
}

// execCase is a program by its name, and what becomes of it with an argument and
// an exit code of 9.
type execCase struct {
	name, path, prog string
	code             int
	stdout, errno    string
	dir              string // the current directory
}

func execs(t *testing.T) []execCase {
	t.Helper()
	bin, denied, dir := t.TempDir(), t.TempDir(), t.TempDir()
	for _, link := range []string{filepath.Join(bin, "prog"), filepath.Join(dir, "here")} {
		if err := os.Symlink(self(t), link); err != nil {
			t.Fatal(err)
		}
	}
	write := func(path, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(denied, "prog"), "", 0o600)
	write(filepath.Join(denied, "only"), "", 0o600)
	write(filepath.Join(dir, "file"), "", 0o600)
	write(filepath.Join(bin, "script"), `echo "script $1 $DAEMONPROXY_EXITCODE"; exit 5`, 0o700)
	return []execCase{
		{"found in the second", "/nonexistent:" + bin, "prog", 77, "argv", "", dir},
		{"past a file that is not executable", denied + ":" + bin, "prog", 77, "argv", "", dir},
		{"past a file in place of a directory", filepath.Join(dir, "file") + ":" + bin, "prog", 77, "argv", "", dir},
		{"in the current directory", "/nonexistent:", "here", 77, "argv", "", dir},
		{"empty PATH is the current directory", "", "here", 77, "argv", "", dir},
		{"a slash means no search", bin, "./here", 77, "argv", "", dir},
		{"a slash means no search", bin, "./prog", 9, "", "No such file or directory", dir},
		{"not found", bin, "absent", 9, "", "No such file or directory", dir},
		{"found but not executable", denied + ":/nonexistent", "only", 9, "", "Permission denied", dir},
		{"a script without #!", bin, "script", 5, "script arg 9\n", "", dir},
		{"a name that is too long", bin, strings.Repeat("x", 300), 9, "", "File name too long", dir},
	}
}

func TestExecSearchesPath(t *testing.T) {
	for _, c := range execs(t) {
		t.Run(c.name, func(t *testing.T) {
			p := plan{How: "Leave", Code: 9, Text: "end", Args: c.prog + "\targ", Path: &c.path}
			e := carryOut(t, p, c.dir)
			log := "warning: daemonproxy exec_on_exit to '" + c.prog + "'\n"
			if c.errno != "" {
				log += "error: Unable to exec \"" + c.prog + "\": " + c.errno + "\nfatal: end\n"
			}
			if e.code != c.code || !strings.HasPrefix(e.stdout, c.stdout) || e.stderr != log {
				t.Fatalf("%+v", e)
			}
		})
	}
	t.Run("without PATH", func(t *testing.T) {
		e := carryOut(t, plan{How: "Leave", Args: "sh\t-c\texit 6"}, "")
		if e.code != 6 {
			t.Fatalf("%+v", e)
		}
	})
}

// Kept descriptors and the first three stay open, signals are reset, the
// process stays the same.
func TestExecKeepsAndResets(t *testing.T) {
	path := "/bin:/usr/bin"
	e := carryOut(t, plan{How: "Kept", Path: &path, Args: "grep\t-E\t^(Pid|SigBlk|SigIgn):\t/proc/self/status"}, "")
	if want := fmt.Sprintf("Pid:\t%d\nSigBlk:\t%016x\nSigIgn:\t%016x\n", e.pid, 0, 0); e.stdout != want {
		t.Fatalf("%+v", e)
	}
	e = carryOut(t, plan{How: "Kept", Args: self(t)}, "")
	if !strings.HasSuffix(e.stdout, "\nopen 50\n") {
		t.Fatalf("%+v", e)
	}
}

func TestExecArgs(t *testing.T) {
	var a ExecArgs
	if a.Configured() || a.fields() != nil {
		t.Fatal("the zero value has arguments")
	}
	a.Set([]byte("a\t\tb"))
	if got := a.fields(); !a.Configured() || fmt.Sprintf("%q", got) != `["a" "" "b"]` {
		t.Fatalf("%q", got)
	}
	longest := bytes.Repeat([]byte("x"), protocol.MaxExecArgs)
	a.Set(longest)
	if got := a.fields(); len(got) != 1 || got[0] != string(longest) {
		t.Fatal("the longest text is cut")
	}
	a.Set([]byte("c"))
	if got := a.fields(); len(got) != 1 || got[0] != "c" {
		t.Fatalf("%q", got)
	}
	a.Set(nil)
	if a.Configured() || a.fields() != nil {
		t.Fatal("none disables")
	}
}

// Commands of several controllers may set them at once.
func TestExecArgsConcurrently(t *testing.T) {
	var a ExecArgs
	var setters sync.WaitGroup
	for i := range 4 {
		setters.Go(func() {
			for range 500 {
				a.Set(bytes.Repeat([]byte{'a' + byte(i)}, 1+i))
			}
		})
	}
	setters.Wait()
	got := a.fields()
	if len(got) != 1 || strings.Trim(got[0], got[0][:1]) != "" || len(got[0]) != int(got[0][0]-'a')+1 {
		t.Fatalf("%q", got)
	}
}
