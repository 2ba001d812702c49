//go:build !(linux && (amd64 || arm64 || arm.6 || riscv64))

package mainthread

import "syscall"

// OutliveRuntime can do nothing where there is no assembly: a runtime that gives
// up ends the program.
func (d *Duties) OutliveRuntime(syscall.Rlimit, bool) {}

func (a *ExecArgs) arm()             {}
func (a *ExecArgs) disarm()          {}
func (a *ExecArgs) collapsing() bool { return false }
func perish()                        {}
