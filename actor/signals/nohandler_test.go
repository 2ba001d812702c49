//go:build !(amd64 || arm64 || arm.6 || riscv64)

package signals

// early is how many signals of a kind come before anybody waits for them: the runtime merges what comes at once.
const early = 1
