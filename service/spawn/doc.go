// Package spawn begins the programs of services: clone and exec without the
// heap, without a copy of the daemon's memory, and without threads that wait.
//
// It owns the spawners, at most Spawners goroutines, each with its scratch (stack of
// the child, arguments, descriptors). The service actors call it; nothing here
// knows what a service is. A start goes like this:
//
//	service                      spawner                 child
//	Acquire(ticket)
//	            <- Granted(s)
//	Reset, SetArgs, AddFD...
//	Go(owner)   ->               clone                   signals, descriptors,
//	                             waits                   limit, execve
//	            <- Begun(s)      it has left our memory  (the program)
//	Outcome
//	...tells the reaper the pid
//	Release
//
// Between Granted and Go, and between Begun and Release, a spawner belongs to
// the goroutine that was granted it; nobody else may touch it. A grant that is
// not wanted any more is given back by Release without Go.
//
// # Slots
//
// The tickets wait in the order of their coming for a spawner that is free. When the
// children of all Spawners have been in the exec of their program for as long as
// Hung (it is on a dead network file system, say), everybody who waits is refused, and
// so is everybody who comes, until one of them gets free. Every Acquire is answered
// exactly once, by Granted or by Refused, unless Withdraw takes it back.
//
// # Who calls what, from where
//
// A Waiter's methods are offers: they must not block and must not wait for the
// pool. Granted and Refused are called on whatever goroutine made the spawner
// free: within Acquire, another service's Release, Close, Stop, or the pool's
// timer. Begun is called on the spawner's goroutine (within Go if the pool was
// stopped). No lock of the pool is held meanwhile, so they may call back.
// All methods of Pool may be called from any goroutine.
//
// # Two ways to the program
//
// StartPath says which one is compiled in. On amd64, arm64, riscv64 and arm (from
// GOARM=6 on) it is "clone": a child that shares our memory until its exec, by a few
// lines of assembly. Everywhere else, and with the build tag applet, it is "applet":
// package syscall starts our own image anew, as documented, and that process, which
// main hands to Applet before it does anything else, turns into the program. To the
// pool's users both are the same but for the cost: the applet's parent allocates,
// and the way is 1-2 ms longer.
//
// The clone lives in child.go, fork.go, clone_*.s; the applet in applet.go (its
// own side), fork_applet.go (the parent's) and labour.go; steps.go, exec.go and notice.go serve both.
//
// A vfork(2) keeps a thread of the parent until the child has left its memory, by an exec or
// its end. Programs that hang would keep as many threads, and those would have to be there beforehand,
// since the runtime ends the program if it is refused one, and what refuses threads is what refuses forks. Here the
// child holds the write end of a pipe, which an exec closes after it has left the memory, as does an end, and the
// poller waits for that. So no start needs a thread, and the thread that made the child need not hand
// its work to another one, which would wake the runtime's monitor, too. The price is that the news comes a moment later, when the
// program is about to run (a program whose file stops answering after its first page counts as hanging): who waits on a word that
// the kernel clears (CLONE_CHILD_CLEARTID) has it as the memory is left, but needs a thread. Where no two descriptors are
// left, it is a vfork; others that find none wait for it. Before Linux 5.9 its child may hold the pipe of another start,
// until its exec.
//
// For the kernel such a child is a process that shares the daemon's memory and not one in a
// vfork, until its exec: who alters the oom_score_adj of the one alters that of the
// other.
//
// The applet is started with a socket as its descriptors 0, 1 and 2, and the
// program's ones behind. On the socket it is told the arguments, the environment and
// what to do, and reports that it executes the program, or a failed step; the end of
// that file says that the program runs. All signals are blocked until it has set their actions, so none is lost
// (faults excepted). It is executed by the name that the daemon was executed by, or
// by /proc/self/exe if that is another file now.
//
// # The pid, before anybody knows it
//
// By clone, the kernel writes the pid of a child into its spawner's Birth before the
// child's first instruction. So whoever reaps a child that no service has
// announced yet finds it with Born, until Release: after Begun a service tells
// the reaper the pid first and only then releases the spawner. A pid that is
// found neither there nor here belongs to an orphan.
//
// Package syscall tells the pid of the applet only when that was executed. It goes
// into the Birth then, and only then is the applet told what to do, so whatever it
// does comes later. But it may be killed before. Therefore a Birth is marked as under
// way before the fork and settled when its pid is there, and Born, when asked for a
// pid that it does not know, waits for those that are under way at that moment: the
// child, dead by now, was forked before. The wait is one fork and one exec of our own
// image, none of a service's program, and a spawner there waits for nobody. Births
// that begin later are not waited for. If the number has gone to a new child
// meanwhile, that child is there to be waited for, and so is not the one that was
// reaped; Born looks.
//
// # What the child does
//
// In this order: it sets every signal to its default, but those to ignore that
// the daemon was started with as ignored and that it has no use of its own for
// (since Linux 5.5 the kernel does so with all that were caught, in the same call as
// the fork; what was ignored is the child's to set, so the daemon should ignore few);
// makes itself the leader of a process group, and that the foreground group of a
// terminal, if Lead says so; puts the descriptors in place and closes all others (before Linux 5.9 the exec
// does that, since all of the daemon's are close-on-exec); gives back the soft
// limit on descriptors that the Go runtime raised, after the descriptors, so that
// a service may be given more than its limit; empties the signal mask; and
// executes the program as execvp of glibc does. Everything else is inherited as
// it stands.
//
//   - Exec fails: "error: exec(PROG, ...) failed: STRERROR" goes to the child's
//     descriptor 2, and it exits with status 3. A pipe that stays full for 50 ms
//     does not get the text.
//   - A descriptor can't be put in place, or Abort was asked for: the child dies of
//     SIGABRT. It leaves no core, which would be one of the daemon.
//   - A signal that would dump core and arrives before the exec has succeeded ends
//     the child with status 128+N instead: before Linux 5.16 a core dump kills every
//     process that shares the memory, here the daemon. The applet dies of the signal,
//     without a core.
//
// # Why it is safe, and what breaks it
//
// The child shares all memory with the daemon and runs at the same time as its
// threads. So from clone to exec it may not allocate, take a lock, grow its stack, store a pointer into Go's heap
// (a write barrier works on a P that may belong to another thread by then) or
// be seen by the race detector. Its functions, all in child.go and exec.go, are
// nosplit, norace and nocheckptr (and so are those of steps.go); they call nothing but each other and
// syscall.RawSyscall, and all memory that they write is the scratch, the
// plain numbers of image, and the word that Lead names. They run on a stack of their own: the parent's stack,
// which a collector may be scanning at that moment, is never written.
//
// BeforeFork blocks all signals, so that no handler of the daemon's runs in the child, and AfterFork
// lets them come again. The runtime is not told of the clone: it waits for nothing but the kernel's memory, and
// is over before the runtime would look. A vfork may last, so it is in brackets of LockOSThread, BeforeFork,
// entersyscall, exitsyscall, AfterFork, UnlockOSThread, and the collector and all others go on.
// runtime_AfterForkInChild is not called: it writes a variable
// of the runtime's in the belief that only one child exists at a time, and it
// unblocks signals before our actions are set.
//
// The child has the registers of the thread that made it, so that thread's g and local
// storage are its own as well, while the thread goes on. Code that looks at them, such as the race
// detector's, must not run there; not even the wrapper by which assembly calls Go.
//
// qemu-user runs a vfork as a fork: programs run, but the report of the child is
// not seen. It also names itself in place of the applet unless that is started
// through binfmt_misc.
package spawn
