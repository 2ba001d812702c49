package protocol

import (
	"math"
	"math/big"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The parsers of single values against independent ones.

// clamped is a decimal number as 64 bits hold it.
func clamped(digits string, low, high int64) int64 {
	n, ok := new(big.Int).SetString(digits, 10)
	switch {
	case !ok:
		panic(digits)
	case n.Cmp(big.NewInt(low)) < 0:
		return low
	case n.Cmp(big.NewInt(high)) > 0:
		return high
	}
	return n.Int64()
}

var wholeInteger = regexp.MustCompile(`\A-?[0-9]+\z`)

func FuzzInteger(f *testing.F) {
	for _, s := range []string{
		"", "0", "-0", "-", "+5", " 5", "5 ", "007", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"-9223372036854775809", "18446744073709551615", "18446744073709551616", "99999999999999999999", "0x1", "1_0", "--1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		good := wholeInteger.MatchString(text)
		want := int64(0)
		if good {
			want = clamped(text, math.MinInt64, math.MaxInt64)
		}
		if n, ok := ParseInteger([]byte(text)); ok != good || n != want {
			t.Errorf("%q: %d %v, want %d %v", text, n, ok, want, good)
		}
	})
}

var (
	poolSize  = regexp.MustCompile(`\A([+-]?[0-9]+)(?:x(?:([+-]?[0-9]+)(b|B|[kKmMgGtT](?:[iI]?[bB])?)?)?)?\z`)
	sizeUnits = map[byte]int{'b': 0, 'k': 1, 'm': 2, 'g': 3, 't': 4}
)

func FuzzPoolSize(f *testing.F) {
	for _, s := range []string{
		"8", "8x", "-3", "+3", "5x50M", "20x1K", "1x9b", "1x2T", "1x1KiB", "1x1kB", "1x99999999999g", "1x-1", "1x-99999999999999999999k",
		"99999999999999999999", "8x8388607t", "8x9223372036854775807k", "x5", "8X5", "8x5q", "8xk", "8x5ki", "8x5kBB", "8 ", "+-8",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, m, hasM, ok := ParsePoolSize(text)
		parts := poolSize.FindStringSubmatch(text)
		if ok != (parts != nil) {
			t.Fatalf("%q: %v", text, ok)
		}
		if !ok {
			return
		}
		if want := clamped(parts[1], math.MinInt64, math.MaxInt64); n != want || hasM != (parts[2] != "") {
			t.Errorf("%q: %d %v, want %d", text, n, hasM, want)
		}
		if !hasM {
			return
		}
		size, _ := new(big.Int).SetString(parts[2], 10)
		if suffix := strings.ToLower(parts[3]); suffix != "" {
			base := int64(1024)
			if len(suffix) == 2 {
				base = 1000
			}
			size.Mul(size, new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(sizeUnits[suffix[0]])), nil))
		}
		if want := clamped(size.String(), -math.MaxInt64, math.MaxInt64); m != want {
			t.Errorf("%q: %d, want %d", text, m, want)
		}
	})
}

// referenceAddress knows the three forms of an address by the standard library.
func referenceAddress(d Domain, text string) (a Address, ok bool) {
	a.Domain = d
	host, port, ported := text, "", false
	if d == Inet6 {
		end := strings.IndexByte(text, ']') + 1
		if end == 0 {
			end = min(1, len(text))
		}
		host, port, ported = text[:end], strings.TrimPrefix(text[end:], ":"), strings.HasPrefix(text[end:], ":")
		if !ported && port != "" {
			return a, false
		}
	} else {
		host, port, ported = strings.Cut(text, ":")
	}
	if ported {
		if !wholeInteger.MatchString(port) || port[0] == '-' || clamped(port, 0, math.MaxInt64) > 65535 {
			return a, false
		}
		a.Port = uint16(clamped(port, 0, 65535))
	}
	if host == "*" {
		a.Any = true
		return a, true
	}
	bare, bracketed := strings.CutPrefix(host, "[")
	ip, err := netip.ParseAddr(strings.TrimSuffix(bare, "]"))
	switch {
	case err != nil || ip.Zone() != "" || bracketed != (d == Inet6):
		return a, false
	case d == Inet6:
		a.IP = ip.As16()
		return a, ip.Is6()
	}
	if ip.Is4() {
		quad := ip.As4()
		copy(a.IP[:], quad[:])
	}
	return a, ip.Is4() && bare == host && !strings.HasSuffix(host, "]")
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"*", "*:0", "*:65535", "*:65536", "*:99999", "*:", "1.2.3.4", "1.2.3.4:80", "1.2.3.4:00080", "1.2.3.04", "1.2.3.4:-1", "[::1]",
		"[::1]:8080", "[::1]8080", "[::1", "::1", "[1.2.3.4]", "[::ffff:1.2.3.4]:7", "[*]", "/run/x", "[::1]:", "1.2.3.4]", "*]:1", "]",
	} {
		for d := range byte(3) {
			f.Add(d, s)
		}
	}
	f.Fuzz(func(t *testing.T, domain byte, text string) {
		d := Domain(domain % 3)
		got, ok := parseAddress(d, []byte(text))
		if d == Unix {
			if ok != (len(text) >= 1 && len(text) <= 107) {
				t.Errorf("a path of %d bytes: %v", len(text), ok)
			}
			return
		}
		want, good := referenceAddress(d, text)
		if ok != good || good && got != want {
			t.Errorf("%s %q: %+v %v, want %+v %v", d, text, got, ok, want, good)
		}
	})
}

func FuzzSignal(f *testing.F) {
	for _, s := range []string{
		"", "0", "15", "64", "65", "015", "1x", "99999999999999999999", "TERM", "SIGTERM", "SIGSIGTERM", "SIG", "term", "CLD", "IOT", "POLL",
		"STKFLT", "RTMIN", "SIG-?", "-1", "TERM ",
	} {
		f.Add(s)
	}
	second := map[string]string{"CLD": "CHLD", "IOT": "ABRT", "POLL": "IO"}
	f.Fuzz(func(t *testing.T, text string) {
		got, code := parseSignal([]byte(text), true)
		want, failure := Signal(0), OK
		name := strings.TrimPrefix(text, "SIG")
		if other := second[name]; other != "" {
			name = other
		}
		switch number := unix.SignalNum("SIG" + name); {
		case text == "":
			failure = SignalExpected
		case text[0] >= '0' && text[0] <= '9':
			if !wholeInteger.MatchString(text) || clamped(text, 0, 1000) > MaxSignal {
				failure = SignalNumberInvalid
			} else {
				want = Signal(clamped(text, 0, MaxSignal))
			}
		case number != 0:
			want = Signal(number)
		default:
			failure = SignalInvalid
		}
		if got != want || code != failure {
			t.Errorf("%q: %d with code %d, want %d with code %d", text, got, code, want, failure)
		}
	})
}
