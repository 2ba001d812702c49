package protocol

import (
	"reflect"
	"testing"
)

func TestNextField(t *testing.T) {
	for value, want := range map[string][]string{
		"":      {""},
		"a":     {"a"},
		"a|":    {"a", ""},
		"|":     {"", ""},
		"a||b":  {"a", "", "b"},
		"a|b c": {"a", "b c"},
	} {
		var got []string
		for rest, more := tabs(value), true; more; {
			var field []byte
			field, rest, more = NextField(rest)
			got = append(got, string(field))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q", value, got)
		}
	}
}

func TestParseInteger(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "007": 7, "-12": -12,
		"9223372036854775807": 1<<63 - 1, "9223372036854775808": 1<<63 - 1,
		"-9223372036854775807": -1<<63 + 1, "-9223372036854775808": -1 << 63,
		"-9223372036854775809": -1 << 63, "18446744073709551615": 1<<63 - 1,
		"18446744073709551616": 1<<63 - 1, "184467440737095516159": 1<<63 - 1,
	} {
		if got, ok := ParseInteger([]byte(text)); !ok || got != want {
			t.Errorf("%s: %d %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-", "+5", " 5", "5 ", "0x5", "--5", "5-", "1.0"} {
		if got, ok := ParseInteger([]byte(text)); ok {
			t.Errorf("%q: %d", text, got)
		}
	}
}
