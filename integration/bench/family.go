package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// descendants of a process.
func descendants(root int) (found []int) {
	parents := map[int]int{}
	for _, dir := range must(filepath.Glob("/proc/[0-9]*")) {
		text, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			if os.IsNotExist(err) || err.(*fs.PathError).Err == unix.ESRCH {
				continue // it ended meanwhile
			}
			check(err)
		}
		pid := must(strconv.Atoi(filepath.Base(dir)))
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		parents[pid] = must(strconv.Atoi(fields[1]))
	}
	for pid := range parents {
		for p := parents[pid]; p > 1; p = parents[p] {
			if p == root {
				found = append(found, pid)
				break
			}
		}
	}
	return found
}

// endFamily ends all that a supervisor has started, and what that has started since: orphans come to us.
func endFamily() {
	for family := descendants(os.Getpid()); len(family) > 0; family = descendants(os.Getpid()) {
		for _, pid := range family {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		for pid := 1; pid > 0; {
			pid, _ = unix.Wait4(-1, nil, unix.WNOHANG, nil)
		}
	}
}
