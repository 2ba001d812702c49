package integration

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// startPath is how the daemon's binary begins programs.
var startPath = cmp.Or(os.Getenv("INTEGRATION_START"), "clone")

// daemonBinary and selfBinary are the program under test and this test binary, which serves as every helper.
var daemonBinary, selfBinary string

// raceBuild: the daemon is built with the race detector. It allocates for itself, needs a C library, and more address
// space than some tests leave a daemon.
var raceBuild = os.Getenv("INTEGRATION_RACE") != ""

func TestMain(m *testing.M) {
	runHelperIfNamed()
	flag.Parse()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	scratch, err := os.MkdirTemp("", "dptest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	if err := prepare(scratch); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if code == 0 && ranEverything() {
		code = reportUnusedHelpers()
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return max(code, reportRaces(scratch))
}

// reportRaces fails if the race detector has written anything.
func reportRaces(scratch string) (code int) {
	reports, _ := filepath.Glob(filepath.Join(scratch, "race.*")) // the pattern is well formed
	for _, report := range reports {
		text, err := os.ReadFile(report)
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Fprintf(os.Stderr, "%s\n", text)
		code = 1
	}
	return code
}

func prepare(scratch string) (err error) {
	if selfBinary, err = os.Executable(); err != nil {
		return err
	}
	if err = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	closeInheritedOnExec()
	if !flagGiven("test.parallel") {
		// Most tests wait for a delay or for a process, not for a processor.
		if err = flag.Set("test.parallel", "12"); err != nil {
			return err
		}
	}
	daemonBinary = filepath.Join(scratch, "daemonproxy")
	if !raceBuild {
		return buildDaemon(daemonBinary, "")
	}
	// Reports go to a file of each daemon's, since its descriptor 2 may lead anywhere.
	if err = os.Setenv("GORACE", "log_path="+filepath.Join(scratch, "race")); err != nil {
		return err
	}
	return buildDaemon(daemonBinary, "", "-race")
}

func buildDaemon(path, tag string, flags ...string) error {
	args := append([]string{"build", "-o", path}, flags...)
	if startPath == "applet" {
		tag += ",applet"
	}
	args = append(args, "-tags", tag)
	build := exec.Command("go", append(args, "daemonproxy/cmd/daemonproxy")...)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// closeInheritedOnExec keeps what the caller of `go test` happened to leave open out of the daemon's fd_N handles.
func closeInheritedOnExec() {
	for fd := 3; fd < 1024; fd++ {
		unix.CloseOnExec(fd)
	}
}

func flagGiven(name string) (given bool) {
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
	return given
}

func ranEverything() bool {
	return !flagGiven("test.run") && !flagGiven("test.skip") && !flagGiven("test.list")
}
