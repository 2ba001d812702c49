package integration

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The promise that a service has what it was given, ready for use, and nothing else.

func init() {
	helpers["web"] = helperWeb
	helpers["auth"] = helperAuth
}

// web: a server of single questions on the listening socket 3. It tells the secret of the file 4 to whom the
// authentication service at the other end of 5 approves of, and what descriptors it was started with to anybody.
func helperWeb([]string) int {
	given := givenDescriptors()
	secret, err := io.ReadAll(descriptor(4))
	if err != nil {
		return 1
	}
	_, refused := unix.Write(4, []byte("x"))
	auth := bufio.NewReader(descriptor(5))
	for {
		conn, _, err := unix.Accept(3)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 1
		}
		question, err := bufio.NewReader(descriptor(conn)).ReadString('\n')
		if err != nil {
			return 1
		}
		answer := fmt.Sprintf("%v; listens %v; write: %v\n", given, listens(3), refused)
		if question != "descriptors?\n" {
			io.WriteString(descriptor(5), question)
			if answer, err = auth.ReadString('\n'); err != nil {
				return 1
			}
			if answer == "yes\n" {
				answer = string(secret)
			}
		}
		io.WriteString(descriptor(conn), answer)
		unix.Close(conn)
	}
}

// givenDescriptors lists what /proc/self/fd shows without the close-on-exec flag. What has the flag was opened after
// the exec: by this function, or by the language runtime.
func givenDescriptors() (list []int) {
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	var entries [8 << 10]byte
	for {
		n, err := unix.ReadDirent(dir, entries[:])
		if n <= 0 || err != nil {
			break
		}
		_, _, names := unix.ParseDirent(entries[:n], -1, nil)
		for _, name := range names {
			fd, err := strconv.Atoi(name)
			flags, err2 := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
			if err == nil && err2 == nil && flags&unix.FD_CLOEXEC == 0 {
				list = append(list, fd)
			}
		}
	}
	slices.Sort(list)
	return list
}

// listens tells whether a descriptor is a listening TCP socket over IPv4.
func listens(fd int) bool {
	accepts, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	protocol, err2 := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	domain, err3 := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	return err == nil && err2 == nil && err3 == nil &&
		accepts == 1 && protocol == unix.IPPROTO_TCP && domain == unix.AF_INET
}

// auth PASSWORD: answers yes to the password and no to everything else, on 3.
func helperAuth(args []string) int {
	in := bufio.NewScanner(descriptor(3))
	for in.Scan() {
		answer := "no\n"
		if in.Text() == args[0] {
			answer = "yes\n"
		}
		if _, err := io.WriteString(descriptor(3), answer); err != nil {
			return 1
		}
	}
	return 0
}

// listenOnFreePort gives the name `listen` to a TCP socket on a port that was free a moment ago, and returns its
// address. The port may be taken meanwhile, so it tries again.
func (d *daemon) listenOnFreePort() string {
	d.t.Helper()
	for range 20 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			d.t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		answer := d.i.ask("fd.socket⇥listen⇥tcp,listen=20⇥" + address)
		if slices.Equal(answer, []string{"fd.state\tlisten\tsocket\tinet,stream,bind,listen=20\t" + address}) {
			return address
		}
		if len(answer) != 1 || !strings.HasPrefix(answer[0], "error\tbind: Address already in use,") {
			d.t.Fatalf("got %q", answer)
		}
	}
	d.t.Fatal("no port is free")
	return ""
}

// connectTo opens a connection to the server, whether a process accepts it or not.
func (d *daemon) connectTo(address, question string) *lines {
	d.t.Helper()
	conn, err := net.Dial("tcp4", address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, question+"\n"); err != nil {
		d.t.Fatal(err)
	}
	return d.stream(question, conn)
}

func TestPromiseGivenDescriptors(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}, files: map[string]string{"secret": "the secret is 42\n"}}.start(t)
	address := d.listenOnFreePort()
	d.i.send(
		"fd.open⇥secret⇥read⇥{dir}/secret",
		"fd.pipe⇥asking⇥answering⇥unix",
		"service.args⇥auth⇥{helper auth}⇥open sesame", "service.fds⇥auth⇥null⇥null⇥stderr⇥answering",
		"service.args⇥web⇥{helper web}", "service.fds⇥web⇥null⇥null⇥stderr⇥listen⇥secret⇥asking",
		"service.start⇥web", "service.start⇥auth")
	d.i.awaitAll("service.state⇥web⇥up⇥{now}⇥{pid=web}⇥-⇥-⇥0⇥-", "service.state⇥auth⇥up⇥{now}⇥{pid=auth}⇥-⇥-⇥0⇥-")

	d.connectTo(address, "descriptors?").expect("[0 1 2 3 4 5]; listens true; write: bad file descriptor")
	d.connectTo(address, "open sesame").expect("the secret is 42")
	d.connectTo(address, "let me in").expect("no")

	// Nobody who connects notices that the server is replaced, nor does the authentication service.
	d.kill(d.num("web"))
	d.i.await("service.state⇥web⇥down⇥{now}⇥{web}⇥signal⇥SIGKILL⇥{int}⇥0")
	first, second := d.connectTo(address, "descriptors?"), d.connectTo(address, "let me in")
	d.i.send("fd.open⇥secret⇥read⇥{dir}/secret", "service.start⇥web") // from its beginning again
	first.expect("[0 1 2 3 4 5]; listens true; write: bad file descriptor")
	second.expect("no")
	d.connectTo(address, "open sesame").expect("the secret is 42")
	if state := d.i.services()["auth"]; state[2] != "up" || state[4] != d.get("auth") {
		t.Errorf("the authentication service: %q", state)
	}

	// The socket was the daemon's alone to close.
	d.i.send("service.signal⇥web⇥KILL")
	d.i.await("service.state⇥web⇥down⇥{now}⇥{pid}⇥signal⇥SIGKILL⇥{int}⇥0")
	d.i.send("fd.delete⇥listen")
	d.i.expect("fd.state⇥listen⇥deleted")
	if conn, err := net.Dial("tcp4", address); err == nil {
		conn.Close()
		t.Errorf("%s still accepts connections", address)
	}
}
