//go:build !(amd64 || arm64 || arm || riscv64)

package birthright

func nofile(*[2]uint64) uintptr { return 1 }
