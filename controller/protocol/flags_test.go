package protocol

import "testing"

// Contradicting socket flags have one meaning.
func TestSocketFlags(t *testing.T) {
	for list, want := range map[string]string{
		"":                 "unix,stream",
		"tcp":              "inet,stream",
		"udp":              "inet,dgram",
		"udp,tcp":          "inet,stream",
		"tcp,udp":          "inet,dgram",
		"udp,unix":         "unix,dgram",
		"inet6,unix":       "unix,stream",
		"inet6,inet":       "inet,stream",
		"inet,inet6":       "inet,stream",
		"inet6,tcp":        "inet,stream",
		"inet6,seqpacket":  "inet6,seqpacket",
		"seqpacket,dgram":  "unix,dgram",
		"dgram,seqpacket":  "unix,dgram",
		"dgram,stream":     "unix,stream",
		"stream,dgram":     "unix,dgram",
		"seqpacket,tcp":    "inet,stream",
		"seqpacket,stream": "unix,stream",
		"nonblock,mkdir":   "unix,stream,mkdir,nonblock",
	} {
		f, listen, err := parseSocketFlags([]byte(list))
		if got := string(f.AppendSocket(nil, listen)); got != want || err.Code != OK {
			t.Errorf("%s: %s (%v), want %s", list, got, err.Code, want)
		}
		if f.Pair {
			t.Errorf("%s: a pair", list)
		}
	}
}
