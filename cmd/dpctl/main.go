// Command dpctl is a person's hands on a running daemonproxy: it shows what runs, starts and stops it, and follows what
// happens, through the control socket.
//
// Each command is one file with a function that makes it, and root.go lists them. What they share is in files of its
// own: session.go connects, choose.go turns names and tags into services, remember.go keeps the triggers of what is
// stopped, table.go and color.go print, complete.go answers the shell, exit.go says what went wrong, in words and as
// an exit status.
//
// dpctl keeps nothing of its own: what it has to remember is a tag of the service, so that it does not matter who
// stops a service and who starts it again.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
