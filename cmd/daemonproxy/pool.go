package main

import (
	"runtime"
	"runtime/debug"
	"sync"

	"daemonproxy/actor/mainthread"
	"daemonproxy/service/spawn"
)

// The pool mode. A pool bounds services or handles and makes all of them at
// start. With both pools everything else is bounded too: from the moment that
// commands run, no heap object is made and no memory is mapped, so the garbage
// collector has nothing to do and is switched off.
//
// What is warmed up here are the parts of the Go runtime that grow on demand
// and never shrink: threads, and the records of goroutines that wait.

func (d *daemon) fillHandles() {
	if !d.options.fdPool.set {
		return
	}
	if d.handles.Fill() != nil {
		d.duties.Refuse(mainthread.ExitEnvironment, "Unable to preallocate file descriptor objects")
	}
}

func (d *daemon) fillServices() {
	if !d.options.servicePool.set {
		return
	}
	if d.services.Fill() != nil || d.spawners.Warm() != nil {
		d.duties.Refuse(mainthread.ExitEnvironment, "Unable to preallocate service objects")
	}
	services := int(d.options.servicePool.n)
	d.reaper.Reserve(services)
	d.clock.Reserve(services + d.options.maxClients + 2)
}

// seal ends the making: what follows asks the system for no more memory.
func (d *daemon) seal() {
	if !d.options.fdPool.set || !d.options.servicePool.set {
		return
	}
	// Who may block in a system call at a time: spawners, the log, shared
	// descriptors, and besides them as many as run.
	warmThreads(spawn.Spawners + runtime.GOMAXPROCS(0) + spareThreads)
	warmWaiting(runtime.GOMAXPROCS(0))
	runtime.GC()
	debug.SetGCPercent(-1)
}

// spareThreads are for the pens of the log, for stdin and stdout, and for
// connections that open a FIFO.
const spareThreads = 8

// warmThreads makes n threads: as many goroutines insist on one of their own at
// the same time. The runtime keeps them, asleep.
func warmThreads(n int) {
	var started, ended sync.WaitGroup
	release := make(chan struct{})
	started.Add(n)
	for range n {
		ended.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			started.Done()
			<-release
		})
	}
	started.Wait()
	close(release)
	ended.Wait()
}

// warmWaiting makes the records (sudog) by which goroutines wait for channels
// and locks. Each processor keeps up to 128 spare ones for itself, whatever the
// others lack, so there have to be that many for each and some to spare.
func warmWaiting(processors int) {
	const perProcessor, perSelect = 128, 16
	var ended sync.WaitGroup
	release := make(chan struct{})
	for range (processors + 1) * perProcessor / perSelect {
		ended.Go(func() {
			select { // waits by 16 records at once
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			case <-release:
			}
		})
	}
	runtime.Gosched()
	close(release)
	ended.Wait()
}
