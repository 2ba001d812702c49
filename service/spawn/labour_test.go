package spawn

import (
	"os/exec"
	"testing"
	"testing/synctest"
)

// A child that dies before anybody was told its pid is found all the same.
func TestBornWaitsForBirthsUnderWay(t *testing.T) {
	gone := exec.Command("/bin/sh", "-c", "exit 0")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	dead, alive := gone.Process.Pid, stay(t)
	for _, c := range []struct {
		reaped, born int // the pid that is asked for, and the one that is settled
		found        bool
	}{
		{dead, dead, true},
		{dead, 0, false}, // no child
		{dead, alive, false},
		{alive, alive, false}, // the number of an orphan, used again
	} {
		synctest.Test(t, func(t *testing.T) {
			p := new(Pool)
			p.births.L = &p.mu
			for i := range p.spawners {
				p.spawners[i].birth.pool = p
			}
			b, other, later := &p.spawners[3].birth, &p.spawners[5].birth, &p.spawners[4].birth
			b.owner = "owner"
			b.expect()
			other.expect()
			over, found := false, false
			go func() {
				var owner any
				owner, _, found = p.Born(c.reaped)
				over = true
				if found != (owner == "owner") {
					t.Errorf("%+v: owner %v", c, owner)
				}
			}()
			synctest.Wait()
			later.expect() // not waited for
			other.settle(0)
			other.expect()
			synctest.Wait()
			if over {
				t.Errorf("%+v: Born did not wait", c)
			}
			b.settle(c.born)
			synctest.Wait()
			if !over || found != c.found {
				t.Errorf("%+v: over %v, found %v", c, over, found)
			}
			if owner, _, ok := p.Born(c.born); ok != (c.born != 0) {
				t.Errorf("%+v: waits though there is the child of %v", c, owner)
			}
			later.settle(0)
			other.settle(0)
		})
	}
}

// stay starts a process that is there until the test ends.
func stay(t *testing.T) (pid int) {
	t.Helper()
	c := exec.Command("/bin/sh", "-c", "read line")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); c.Wait() })
	return c.Process.Pid
}
