// Package boot holds the tests that need a kernel of their own: daemonproxy as process 1 of a machine that QEMU
// emulates, with Debian's kernel and an initramfs of nothing but our binary, the board of examples/board, busybox for
// its scripts, and the unit tests that depend on the architecture. `make boot-test` builds and fetches what they use.
//
// The console of the machine is a serial port that the test reads (machine_test.go). A test waits for lines there,
// types at the board's shell, and presses keys by QEMU's monitor. It judges by those lines alone: QEMU ends with
// status 0 whether the machine was switched off or its kernel panicked.
//
// BOOT names the architectures (architectures_test.go), by default those of CI.
package boot
