package main

import (
	"bytes"
	"embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

//go:embed c
var sources embed.FS

// programs compiled from c/.
type programs struct {
	dir, stamp, floor, echo string
}

func compile(dir string) programs {
	check(os.CopyFS(dir, sources))
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	p := programs{dir, filepath.Join(dir, "stamp"), filepath.Join(dir, "floor"), filepath.Join(dir, "echo")}
	bare := []string{"-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-no-pie"}
	for path, flags := range map[string][]string{p.stamp: bare, p.floor: nil, p.echo: nil} {
		args := append([]string{"-O2", "-static", "-o", path}, flags...)
		if out, err := exec.Command(cc, append(args, filepath.Join(dir, "c", filepath.Base(path)+".c"))...).CombinedOutput(); err != nil {
			panic(fmt.Errorf("%w: %s", err, bytes.TrimSpace(out)))
		}
	}
	return p
}

// order is stamp's argument: wait that long in that slot of the file on a descriptor.
func order(fd, slot, ms int) string { return fmt.Sprintf("%d:%d:%d", fd, slot, ms) }

// roles are the floors that are written in Go: this program under another name.
var roles = map[string]func(args []string){
	"role-echo":  echoRole,
	"role-start": startRole,
}

// echoRole is a bare goroutine that sends back what comes over the socket on 0, and no more than that.
func echoRole([]string) {
	conn, err := net.FileConn(os.Stdin)
	check(err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			if _, err := conn.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	<-ended
}

// startRole COUNT STAMP starts services one after the other, as a program would that waits for each: for every LF on
// stdin COUNT of them.
func startRole(args []string) {
	count, err := strconv.Atoi(args[0])
	check(err)
	slots := uintptr(3)
	for signal := make([]byte, 1); ; {
		if n, _ := os.Stdin.Read(signal); n == 0 {
			return
		}
		for i := range count {
			pid, err := syscall.ForkExec(args[1], []string{args[1], order(3, i, 0)}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2, slots}})
			check(err)
			var status syscall.WaitStatus
			_, err = syscall.Wait4(pid, &status, 0, nil)
			check(err)
		}
		_, err := os.Stdout.WriteString("\n")
		check(err)
	}
}
