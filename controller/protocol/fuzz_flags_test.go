package protocol

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	openFlagNames   = []string{"read", "write", "append", "create", "trunc", "nonblock", "mkdir"}
	pipeFlagNames   = strings.Fields("nonblock unix inet inet6 tcp udp stream dgram seqpacket")
	listenLength    = regexp.MustCompile(`\A[0-9]*\z`)
	socketFlagSeeds = []string{
		"", "-", ",,", "nonblock", "unix", "inet,unix", "unix,inet", "inet6,inet", "tcp", "udp", "udp,unix", "udp,stream", "dgram,seqpacket",
		"seqpacket,dgram,stream", "bind", "listen", "listen=", "listen=5x", "listen=65535", "listen=65536", "listen=0", "mkdir=1,bind=",
		"read", "write,append,create,trunc,nonblock,mkdir", "sync", "read,-", "inet6=x,udp=y", "=", "listen=1,listen=2", "Bind", " bind",
	}
)

// FuzzFlags holds the three lists of flags against what the protocol's description says of them, item by item.
func FuzzFlags(f *testing.F) {
	for _, s := range socketFlagSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, list string) {
		items := slices.DeleteFunc(strings.Split(list, ","), func(item string) bool { return item == "" })
		fuzzOpenFlags(t, list, items)
		fuzzPipeFlags(t, list, items)
		fuzzSocketFlags(t, list, items)
	})
}

func fuzzOpenFlags(t *testing.T, list string, items []string) {
	var want OpenFlags
	stranger := ""
	for _, item := range items {
		bit := slices.Index(openFlagNames, item)
		if bit < 0 {
			stranger = item
			break
		}
		want |= 1 << bit
	}
	got, err := parseOpenFlags([]byte(list))
	if string(err.Arg) != stranger || (err.Code == FlagUnknown) != (stranger != "") {
		t.Fatalf("fd.open %q: %d %q, want %q", list, err.Code, err.Arg, stranger)
	}
	if stranger != "" {
		return
	}
	if want&(OpenRead|OpenWrite) == 0 {
		want |= OpenRead
	}
	shown := string(got.Append(nil))
	again, _ := parseOpenFlags([]byte(shown))
	if got != want || again != want {
		t.Errorf("fd.open %q: %q, want %d", list, shown, want)
	}
}

// referenceSocket gives the domain and kind that a list of known flags means.
func referenceSocket(items []string) (d Domain, k Kind) {
	// What comes after the last flag that resets is all that counts.
	last := func(names ...string) int {
		for i := len(items) - 1; i >= 0; i-- {
			if slices.Contains(names, items[i]) {
				return i
			}
		}
		return -1
	}
	inet, inet6 := last("inet", "tcp", "udp"), last("inet6")
	switch reset := last("unix"); {
	case inet > reset:
		d = Inet
	case inet6 > reset:
		d = Inet6
	}
	dgram, seqpacket := last("dgram", "udp"), last("seqpacket")
	switch reset := last("stream", "tcp"); {
	case dgram > reset:
		k = Dgram
	case seqpacket > reset:
		k = Seqpacket
	}
	return d, k
}

func fuzzPipeFlags(t *testing.T, list string, items []string) {
	items = slices.DeleteFunc(slices.Clone(items), func(item string) bool { return item == "-" })
	unknown := slices.IndexFunc(items, func(item string) bool { return !slices.Contains(pipeFlagNames, item) })
	got, err := parsePipeFlags([]byte(list))
	if unknown >= 0 {
		if err.Code != FlagUnknown || string(err.Arg) != items[unknown] {
			t.Errorf("fd.pipe %q: %d %q", list, err.Code, err.Arg)
		}
		return
	}
	want := SocketFlags{NonBlock: slices.Contains(items, "nonblock")}
	want.Domain, want.Kind = referenceSocket(items)
	want.Pair = slices.ContainsFunc(items, func(item string) bool { return item != "nonblock" })
	if err.Code != OK || got != want {
		t.Errorf("fd.pipe %q: %+v, want %+v", list, got, want)
	}
}

func fuzzSocketFlags(t *testing.T, list string, items []string) {
	var want SocketFlags
	var names []string
	queue, failure := 0, Error{}
	for _, item := range items {
		name, value, _ := strings.Cut(item, "=")
		names = append(names, name)
		switch name {
		case "bind":
			want.Bind = true
		case "mkdir":
			want.Mkdir = true
		case "listen":
			want.Bind, want.Listen, queue = true, true, DefaultListen
			if value != "" {
				n, err := strconv.ParseUint(value, 10, 64)
				if !listenLength.MatchString(value) || err != nil || n < 1 || n > 65535 {
					failure = Error{Code: ListenInvalid}
				}
				queue = int(n)
			}
		default:
			if !slices.Contains(pipeFlagNames, name) {
				failure = Error{Code: FlagUnknown, Arg: []byte(item)}
			}
		}
		if failure.Code != OK {
			break
		}
	}
	got, listen, err := parseSocketFlags([]byte(list))
	if err.Code != failure.Code || string(err.Arg) != string(failure.Arg) {
		t.Fatalf("fd.socket %q: %d %q, want %d %q", list, err.Code, err.Arg, failure.Code, failure.Arg)
	}
	if failure.Code != OK {
		return
	}
	want.NonBlock = slices.Contains(names, "nonblock")
	want.Domain, want.Kind = referenceSocket(names)
	if got != want || listen != queue {
		t.Errorf("fd.socket %q: %+v %d, want %+v %d", list, got, listen, want, queue)
	}
}
