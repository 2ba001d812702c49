//go:build amd64 || arm64 || arm || riscv64

package birthright

// nofile reads RLIMIT_NOFILE; it returns 0 or a negated errno. The kernel's struct
// has 64 bits for each of the two everywhere.
//
//go:noescape
func nofile(limit *[2]uint64) uintptr
