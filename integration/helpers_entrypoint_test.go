package integration

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

func init() {
	helpers["signals"] = helperSignals
	helpers["pair"] = helperPair
	helpers["stubborn"] = helperStubborn
	helpers["terminal"] = helperTerminal
	helpers["reader"] = helperReader
}

// passedOn are the signals that an entrypoint passes on.
var passedOn = []string{"HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH"}

// program is a helper's words for a command line.
func program(name string, args ...string) []string {
	return append(strings.Split(helperArgs(name), "\t"), args...)
}

// signals [NAME]: says which of the forwarded signals it gets, and ends with its input.
func helperSignals(args []string) int {
	arrived := catch()
	who := "main"
	if len(args) > 0 {
		who = args[0]
	}
	fmt.Println(who, "is ready")
	for s := range arrived {
		fmt.Println(who, "got", unix.SignalName(s.(syscall.Signal)))
	}
	return 0
}

// catch receives the forwarded signals, and ends with the standard input.
func catch() <-chan os.Signal {
	arrived := make(chan os.Signal, 100)
	for _, name := range passedOn {
		signal.Notify(arrived, signalNumber(name))
	}
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		}
		os.Exit(0)
	}()
	return arrived
}

// pair is two processes of one group that are both like signals.
func helperPair([]string) int {
	_, err := os.StartProcess(selfPath(), []string{selfPath(), "helper", "signals", "member"}, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return 1
	}
	return helperSignals(nil)
}

// stubborn does not end when it is asked to; it says so on its descriptor 1.
func helperStubborn([]string) int {
	arrived := make(chan os.Signal, 100)
	signal.Notify(arrived, unix.SIGTERM)
	fmt.Println("stubborn is ready")
	go func() {
		for range arrived {
			fmt.Println("stubborn got SIGTERM")
		}
	}()
	for {
		_ = unix.Pause()
	}
}

// terminal [STATUS]: says who has the terminal.
func helperTerminal(args []string) int {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("pid", os.Getpid(), "parent", os.Getppid(), "group", syscall.Getpgrp(), "foreground", group, "")
	return helperExit(args)
}

// reader does that and then tells what it reads, up to "quit".
func helperReader([]string) int {
	helperTerminal(nil)
	for in := bufio.NewScanner(os.Stdin); in.Scan() && in.Text() != "quit"; {
		fmt.Printf("read %s.\n", in.Text())
	}
	fmt.Println("reader ends.")
	return 5
}
