package actor

import (
	"errors"
	"testing"
)

func TestPanicked(t *testing.T) {
	caught := func(v any) (out any) {
		defer func() { out = recover() }()
		Panicked(v)
		return nil
	}
	if caught("boom") != "boom" {
		t.Error("without a handler a panic goes on")
	}
	defer panicHandler.Store(nil)
	var told string
	OnPanic(func(text string) { told = text })
	for _, c := range []struct {
		v    any
		want string
	}{{"text", "text"}, {errors.New("error"), "error"}, {7, "panic"}} {
		if caught(c.v) != nil || told != c.want {
			t.Errorf("%v: told %q", c.v, told)
		}
	}
}
