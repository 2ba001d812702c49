//go:build linux && (amd64 || arm64)

package spawn

import (
	"fmt"
	"syscall"
	"testing"
)

func TestLead(t *testing.T) {
	const groups = "read -r pid comm state parent group rest </proc/$$/stat; echo $$ $group"
	p := newPool(t)
	var lent uint32
	text, _, out := outputOf(t, p, func(s *Spawner) {
		s.SetArgv([]string{"/bin/sh", "-c", groups})
		s.Lead(-1, &lent)
	})
	if want := fmt.Sprintf("%d %d\n", out.PID, out.PID); text != want || lent != 0 {
		t.Errorf("got %q, %+v, want %q", text, out, want)
	}
	// A descriptor that is no terminal does no harm, and the next start knows nothing of it.
	text, _, out = outputOf(t, p, func(s *Spawner) {
		s.SetArgv([]string{"/bin/sh", "-c", groups})
		s.Lead(openNull(t), &lent)
	})
	if want := fmt.Sprintf("%d %d\n", out.PID, out.PID); text != want || lent != 0 {
		t.Errorf("got %q, %+v, want %q", text, out, want)
	}
	text, _, out = outputOf(t, p, func(s *Spawner) { s.SetArgv([]string{"/bin/sh", "-c", groups}) })
	if want := fmt.Sprintf("%d %d\n", out.PID, syscall.Getpgrp()); text != want {
		t.Errorf("got %q, want %q", text, want)
	}
}
