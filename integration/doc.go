// Package integration holds the end-to-end tests: they build the daemonproxy binary, start it, and talk to it as
// any client would, through its standard streams, its control socket, signals and /proc. It imports none of the
// other packages, so it can only see what a user sees.
//
// Three things make up the harness. A daemon (daemon_test.go) is one running daemonproxy with its streams. A
// controller (controller_test.go) is one connection to it, with strict expectations about every line. A helper
// (helpers_test.go) is this test binary executed once more under a name, as the program of a supervised service.
//
// The conformance tests are one subtest of TestConformance per item, named after the item's number. Most are
// conversation files in testdata/conformance, whose format testdata/README.md explains; what a conversation can't
// say (descriptors, exit statuses, delays, burst writes) is a Go function in a file named after its topic.
//
// No test sleeps to give the daemon time. A test waits for an event or a log line, and has one deadline that only
// fails. Delays that daemonproxy promises are measured: never early by a clock tick, never late by a factor of ten.
//
// INTEGRATION_RACE=1 builds the daemon with the race detector.
package integration
