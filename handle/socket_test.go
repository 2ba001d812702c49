package handle

import (
	"net"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSocketShown(t *testing.T) {
	b := newBench(t, 0, 0)
	for flags, shown := range map[string]string{
		"":                    "unix,stream",
		"unix":                "unix,stream",
		"unix,mkdir":          "unix,stream,mkdir",
		"udp,unix":            "unix,dgram",
		"udp":                 "inet,dgram",
		"tcp,nonblock":        "inet,stream,nonblock",
		"unix,seqpacket":      "unix,seqpacket",
		"inet6,inet,nonblock": "inet,stream,nonblock",
	} {
		b.step("fd.socket|s|"+flags, "s|socket|"+shown+"|")
		want := fileFlags(t, b.fd("s"))&unix.O_NONBLOCK != 0
		if shownNonblock := len(shown) > 8 && shown[len(shown)-8:] == "nonblock"; want != shownNonblock {
			t.Error(flags, ": O_NONBLOCK is ", want)
		}
	}
}

func TestSocketUnix(t *testing.T) {
	b := newBench(t, 0, 0)
	t.Chdir(t.TempDir())
	b.fail("fd.socket|s|bind|d/s", "bind: No such file or directory")
	b.step("fd.socket|u|mkdir", "u|socket|unix,stream,mkdir|")
	b.step("fd.socket|s|mkdir,listen|d/s", "s|socket|unix,stream,bind,listen=32,mkdir|d/s")
	if info, err := os.Stat("d"); err != nil || info.Mode().Perm() != 0o700 {
		t.Error(info, err)
	}
	conn, err := net.Dial("unix", "d/s")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	b.fail("fd.socket|t|unix|d/s", "bind: Address already in use")
	b.fail("fd.socket|s|unix|d/s", "bind: Address already in use")
	b.step("fd.delete|s", "s|deleted")
	if _, err := os.Stat("d/s"); err != nil {
		t.Error("the socket's file was removed")
	}
	b.fail("fd.socket|s|seqpacket|d/s", "bind: Address already in use")
	b.step("fd.socket|s|dgram|@s", "s|socket|unix,dgram,bind|@s")
	if _, err := os.Stat("@s"); err != nil {
		t.Error("an address of 107 bytes at most is a path: ", err)
	}
	long := "p" // 107 bytes are the most
	for len(long) < 107 {
		long += "p"
	}
	b.step("fd.socket|l|unix|"+long, "l|socket|unix,stream,bind|"+long)
	if _, err := os.Stat(long); err != nil {
		t.Error(err)
	}
}

func TestSocketInet(t *testing.T) {
	b := newBench(t, 0, 0)
	b.step("fd.socket|s|tcp,listen=5|127.0.0.1:0", "s|socket|inet,stream,bind,listen=5|127.0.0.1:0")
	sa, err := unix.Getsockname(b.fd("s"))
	if err != nil {
		t.Fatal(err)
	}
	port := sa.(*unix.SockaddrInet4).Port
	address := "127.0.0.1:" + strconv.Itoa(port)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if on, err := unix.GetsockoptInt(b.fd("s"), unix.SOL_SOCKET, unix.SO_REUSEADDR); on == 0 {
		t.Error("no SO_REUSEADDR: ", err)
	}
	b.fail("fd.socket|t|tcp,listen|"+address, "bind: Address already in use")
	b.fail("fd.socket|t|inet,seqpacket", "socket: Socket type not supported")
	b.fail("fd.socket|t|udp,listen|*", "listen: Operation not supported")
	b.fail("fd.socket|t|tcp|192.0.2.1", "bind: Cannot assign requested address")
	b.step("fd.socket|u|udp,nonblock|*", "u|socket|inet,dgram,bind,nonblock|*")
}

func TestSocketInet6(t *testing.T) {
	b := newBench(t, 0, 0)
	for _, address := range []string{"[::1]:0", "[::1]", "*", "*:0"} {
		b.step("fd.socket|s|inet6,stream,listen|"+address, "s|socket|inet6,stream,bind,listen=32|"+address)
		sa, err := unix.Getsockname(b.fd("s"))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp6", "[::1]:"+strconv.Itoa(sa.(*unix.SockaddrInet6).Port))
		if err != nil {
			t.Fatal(address, err)
		}
		conn.Close()
	}
}
