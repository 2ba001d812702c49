// Package integration holds the end-to-end tests: they build the daemonproxy binary, start it, and talk to it as
// any client would, through its standard streams, its control socket, signals and /proc. It imports none of the
// other packages but model, which knows no daemon either, so it can only see what a user sees.
//
// Three things make up the harness. A daemon (daemon_test.go) is one running daemonproxy with its streams. A
// controller (controller_test.go) is one connection to it, with strict expectations about every line. A helper
// (helpers_test.go) is this test binary executed once more under a name, as the program of a supervised service.
//
// The conformance tests are one subtest of TestConformance per item, named after the item's number. Most are
// conversation files in testdata/conformance, whose format testdata/README.md explains; what a conversation can't
// say (descriptors, exit statuses, delays, burst writes) is a Go function in a file named after its topic.
//
// TestModel sends random commands to daemons and has package model judge all that comes back: model_test.go plays,
// model_round_test.go talks, model_generator_test.go invents the commands.
//
// No test sleeps to give the daemon time. A test waits for an event or a log line, and has one deadline that only
// fails. Delays that daemonproxy promises are measured: never early by a clock tick, never late by a factor of ten.
//
// What the machine can do to a daemon is in fault_machine_*_test.go: no descriptors, processes, threads, memory or disk,
// files that go away or change, clocks that jump. What services can do is in fault_services_*_test.go. The soaks
// (soak_*_test.go) do everything at once for a long time and look for growth: SOAK multiplies the rounds of the one in
// pool mode, SOAK_DURATION and SOAK_SEED are for the other.
//
// INTEGRATION_RACE=1 builds the daemon with the race detector; INTEGRATION_START=applet one that starts programs in the
// way of architectures without assembly.
package integration
