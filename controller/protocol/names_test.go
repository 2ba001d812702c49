package protocol

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
)

func TestSignals(t *testing.T) {
	const known = "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP " +
		"SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ"
	shown := map[string]string{"CLD": "SIGCHLD", "IOT": "SIGABRT", "POLL": "SIGIO"}
	seen := map[Signal]bool{}
	for _, name := range strings.Fields(known) {
		s, ok := SignalByName([]byte(name))
		full, okFull := SignalByName([]byte("SIG" + name))
		if !ok || !okFull || s != full {
			t.Errorf("%s: %d %v, %d %v", name, s, ok, full, okFull)
		}
		want := shown[name]
		if want == "" {
			want = "SIG" + name
		}
		if s.String() != want || string(s.Append(nil)) != want {
			t.Errorf("%s is shown as %s", name, s)
		}
		seen[s] = true
	}
	for s := Signal(0); s < 255; s++ {
		if !seen[s] && s.String() != "SIG-?" {
			t.Errorf("%d has the name %s", s, s)
		}
	}
	for _, name := range []string{"", "SIG", "term", "SIGterm", "RTMIN", "EXIT", "15", "SIG15", "SIG-?", "TERM "} {
		if s, ok := SignalByName([]byte(name)); ok {
			t.Errorf("%q is %d", name, s)
		}
	}
}

func TestStrerror(t *testing.T) {
	for e, want := range map[syscall.Errno]string{
		0:                       "Success",
		syscall.EPERM:           "Operation not permitted",
		syscall.ENOENT:          "No such file or directory",
		syscall.ESRCH:           "No such process",
		syscall.EAGAIN:          "Resource temporarily unavailable",
		syscall.EOPNOTSUPP:      "Operation not supported",
		syscall.EADDRINUSE:      "Address already in use",
		syscall.EDEADLK:         "Resource deadlock avoided",
		syscall.ENOTRECOVERABLE: "State not recoverable",
		4000:                    "Unknown error 4000",
	} {
		if got := Strerror(e); got != want || string(AppendErrno(nil, e)) != want {
			t.Errorf("%d: %q", e, got)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"-", "..", "a", "A.z_0-9", strings.Repeat("x", 31)} {
		if !ValidName([]byte(name)) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", "a b", "a/b", "a\t", "\xe4", "a:", strings.Repeat("x", 32)} {
		if ValidName([]byte(name)) {
			t.Errorf("%q is accepted", name)
		}
	}
	for _, name := range []string{"null", "control.cmd", "control.event", "control.socket"} {
		if !IsConstant([]byte(name)) {
			t.Errorf("%s is not a constant", name)
		}
	}
	if IsConstant([]byte("stdin")) || IsConstant(nil) {
		t.Error("not only the four are constants")
	}
}

func TestLevels(t *testing.T) {
	names := strings.Fields("none trace debug info warning error fatal")
	for i, name := range names {
		l, ok := ParseLevel([]byte(name))
		if !ok || l != Level(i) || l.String() != name {
			t.Errorf("%s: %d %v", name, l, ok)
		}
		if up := LevelUp.Apply(l, 0); up != min(l+1, LevelFatal) {
			t.Errorf("above %s: %s", l, up)
		}
		if down := int(LevelDown.Apply(l, 0)); down != max(i-1, 0) {
			t.Errorf("below %s: %d", l, down)
		}
		if LevelTo.Apply(LevelInfo, l) != l || LevelQuery.Apply(l, LevelInfo) != l {
			t.Errorf("%s is not kept", l)
		}
	}
}

func TestTriggers(t *testing.T) {
	tr, _, ok := parseTriggers(tabs("HUP|SIGXFSZ"))
	if !ok || !tr.Enabled() || tr.Mask != 1|1<<24 {
		t.Errorf("%+v %v", tr, ok)
	}
	if (Triggers{}).Enabled() || !(Triggers{Always: true}).Enabled() {
		t.Error("Enabled")
	}
}

func TestInetAddress(t *testing.T) {
	for text, want := range map[string]Address{
		"*":                     {Any: true},
		"*:0":                   {Any: true},
		"*:65535":               {Any: true, Port: 65535},
		"1.2.3.4":               {IP: [16]byte{1, 2, 3, 4}},
		"255.255.255.255:00080": {IP: [16]byte{255, 255, 255, 255}, Port: 80},
	} {
		want.Domain = Inet
		if got, ok := parseAddress(Inet, []byte(text)); !ok || got != want {
			t.Errorf("%s: %+v %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", ":", ":80", "*:", "*:x", "*:-1", "*:65536", "*:99999", "**", "1.2.3", "1.2.3.4.5", "1.2.3.256",
		"1.2.3.04", "1..2.3", "1.2.3.4:", "1.2.3.4:80:", "localhost", "1.2.3.4 ", "[::]",
	} {
		if got, ok := parseAddress(Inet, []byte(text)); ok {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestInet6Address(t *testing.T) {
	one := [16]byte{15: 1}
	for text, want := range map[string]Address{
		"*":          {Any: true},
		"*:7":        {Any: true, Port: 7},
		"[::1]":      {IP: one},
		"[::1]:0":    {IP: one},
		"[::1]:8080": {IP: one, Port: 8080},
		"[::]":       {},
	} {
		want.Domain = Inet6
		if got, ok := parseAddress(Inet6, []byte(text)); !ok || got != want {
			t.Errorf("%s: %+v %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "::1", "[]", "[::1", "[::1]80", "[::1]:", "[::1]:65536", "*80", "*:", "1.2.3.4", "[1.2.3.4]", "[*]", "[::1%lo]",
	} {
		if got, ok := parseAddress(Inet6, []byte(text)); ok {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

var ipv6Seeds = []string{
	"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8", "fe80::a:B", "::ffff:1.2.3.4",
	"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:6:7:8::", "1::2::3", ":::", "1:", ":1", "12345::", "::1.2.3",
	"::01.2.3.4", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1.2.3.4", "::1.2.3.4:5", "::g", "1::2:3:4:5:6:7:8", "::1.2.3.4.5", "",
}

func FuzzIPv6(f *testing.F) {
	for _, s := range ipv6Seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := netip.ParseAddr(text)
		good := err == nil && want.Is6() && want.Zone() == ""
		var ip [16]byte
		if ok := parseIPv6(&ip, []byte(text)); ok != good || good && ip != want.As16() {
			t.Errorf("%q: %v %v, want %v %v", text, ok, ip, good, want)
		}
		want, err = netip.ParseAddr(text)
		good = err == nil && want.Is4()
		var quad [4]byte
		if ok := parseQuad(quad[:], []byte(text)); ok != good || good && quad != want.As4() {
			t.Errorf("%q: %v %v, want %v %v", text, ok, quad, good, want)
		}
	})
}

func TestParsePoolSize(t *testing.T) {
	const most = 1<<63 - 1
	for text, want := range map[string]struct {
		n, m int64
		hasM bool
	}{
		"8": {8, 0, false}, "8x": {8, 0, false}, "-3": {-3, 0, false}, "+3": {3, 0, false}, "5x50M": {5, 50 << 20, true},
		"20x1K": {20, 1024, true}, "20x1k": {20, 1024, true}, "1x9b": {1, 9, true}, "1x9B": {1, 9, true}, "1x2g": {1, 2 << 30, true},
		"1x2T": {1, 2 << 40, true}, "1x1KiB": {1, 1024, true}, "1x1MiB": {1, 1 << 20, true}, "1x1GiB": {1, 1 << 30, true},
		"1x1kB": {1, 1000, true}, "1x1MB": {1, 1e6, true}, "1x1GB": {1, 1e9, true}, "1x99999999999g": {1, most, true},
		"1x-1": {1, -1, true}, "1x-99999999999999999999k": {1, -most, true}, "99999999999999999999": {most, 0, false},
	} {
		n, m, hasM, ok := ParsePoolSize(text)
		if !ok || n != want.n || m != want.m || hasM != want.hasM {
			t.Errorf("%s: %d %d %v %v", text, n, m, hasM, ok)
		}
	}
	for _, text := range []string{"", "x5", "8X5", "8y", "8x5q", "8xk", "8x5ki", "8x5kBB", "8x5bB", "8 ", "8x5 ", "+-8", "-", "+", "8x5x"} {
		if n, m, hasM, ok := ParsePoolSize(text); ok {
			t.Errorf("%q: %d %d %v", text, n, m, hasM)
		}
	}
}
