#!/bin/sh
# The controller of a board: mounts, starts the rest, and ends the machine in order.
#
#   Ctrl-Alt-Del (SIGINT), busybox's reboot (SIGTERM)              reboot
#   a failing power supply (SIGPWR), busybox's poweroff (SIGUSR2)  power off
#   busybox's halt (SIGUSR1)                                       halt
#
# It may be killed at any time: daemonproxy starts it again, the statedump tells it
# where things stand, and a signal that began the end is told once more.

IFS=$(printf '\t')           # read splits at TABs, "$*" joins with them
send() { printf '%s\n' "$*"; }
say() { echo "boss: $*" >&2; }

goal=                        # what the machine is to do, once it is to end
worker= logger=              # their states
mounts=                      # gone, once nothing is in use any more

# begin starts a service, and again whenever it has ended, at most once a second.
begin() { send service.auto_up "$1" 1 always; }

mounted() { # HOW STATUS
	case $1,$2 in
	exit,0) begin logger; begin worker ;;
	*) say "mount: $1 $2, so there is only a shell" ;;
	esac
	begin shell
}

end() { # GOAL
	[ -z "$goal" ] || return
	goal=$1
	say "$name: $goal"
	for each in worker logger shell; do send service.auto_up "$each" -; done
	send service.signal shell SIGHUP
	send service.start patience
	worker= logger=          # what they are from here on, the statedump tells
	send statedump
}

# further takes the next step to the end: the worker first, so that the logger reads
# all there is, comes to the end of its pipe and ends.
further() {
	case $worker,$logger,$mounts in
	start,*) send service.start worker - ;;
	up,*) send service.signal worker SIGTERM ;;
	down,up,) send fd.delete log.w ;;
	down,start,) send service.start logger - ;;
	down,down,) mounts=gone; send service.start umount ;;
	esac
}

last_act() {
	send terminate.exec_args /sbin/daemonproxy --system "$goal"
	send terminate 0 1       # 1 is the guard of process 1
}

send statedump
while read -r event name state time pid how status rest; do
	case $event,$name in
	signal,SIGINT | signal,SIGTERM) end reboot ;;
	signal,SIGPWR | signal,SIGUSR2) end poweroff ;;
	signal,SIGUSR1) end halt ;;
	signal,*) say "$name"; send signal.clear "$name" 1 ;;
	service.state,worker) worker=$state ;;
	service.state,logger) logger=$state ;;
	overflow,*) send statedump ;;
	esac

	case $goal,$event,$name,$state,$pid in
	,service.state,mount,down,-) send service.start mount ;;
	,service.state,mount,down,*) mounted "$how" "$status" ;;
	,service.state,*,down,[0-9]*) say "$name ended ($how $status)" ;;
	?*,service.state,worker,* | ?*,service.state,logger,*) further ;;
	?*,service.state,patience,down,[0-9]*)
		for each in worker logger; do send service.signal "$each" SIGKILL; done ;;
	?*,service.state,umount,down,[0-9]*) last_act ;;
	esac
done
