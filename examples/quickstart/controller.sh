#!/bin/sh
# Starts the worker, starts it again after each crash, each time after a longer delay,
# and ends everything cleanly on Ctrl-C, SIGTERM, or when the terminal is closed.
#
# stdin: events, stdout: commands, stderr: messages for people. daemonproxy receives
# the signals and reports them as events, so there is no signal to handle here: Ctrl-C
# reaches this script too, as it reaches every process of the terminal, and is ignored.

trap '' INT HUP
IFS=$(printf '\t')               # read splits at TABs, "$*" joins with them

longest=8                        # seconds from a crash to the next start, at most
steady=5                         # a run of so many seconds makes the next delay short again

delay=1 counted='' announced='' stopping='' closed=''

send() { printf '%s\n' "$*"; }
say() { echo "controller: $*" >&2; }

worker_is_down() { # TIME PID HOW STATUS UPTIME DOWNTIME; all are - if it never ran
	if [ "$stopping" ]; then
		if [ -z "$closed" ]; then
			closed=yes
			say 'closing the log pipe; the logger reads what is left in it and ends'
			send service.auto_up logger -
			send fd.delete log.write
			send statedump
		fi
		return
	fi
	if [ "$2" = - ]; then
		send service.start worker
		return
	fi
	if [ "$2" != "$counted" ]; then  # else a statedump repeats what we know
		if [ -z "$counted" ] || [ "$5" -ge "$steady" ]; then
			delay=1
		elif [ "$delay" -lt "$longest" ]; then
			delay=$((delay * 2))
		fi
		counted=$2
		say "worker $2 ended ($3 $4); next start in $delay s"
	fi
	# No sleep: daemonproxy waits for us. TIME is on its clock, in seconds since boot.
	if [ "$6" -ge "$delay" ]; then
		send service.start worker
	else
		send service.start worker $(($1 + delay))
	fi
}

logger_is_down() { # HOW
	if [ "$closed" != yes ]; then
		return                   # daemonproxy starts it again by itself, or a dump tells of it once more
	elif [ "$1" = signal ]; then
		send service.start logger    # killed before it had read everything
	else
		say 'the logger is down; good-bye'
		closed=told
		send log.filter warning      # else daemonproxy warns that this script still runs
		send terminate 0
	fi
}

send statedump                   # events for all there is, as if it happened now
while read -r event name state time pid how status up down; do
	case $event,$name,$state in
	service.state,worker,up)
		if [ "$pid" != "$announced" ]; then say "worker $pid is up"; fi
		announced=$pid
		if [ "$stopping" ]; then send service.signal worker SIGTERM; fi ;;
	service.state,worker,start)
		if [ "$stopping" ]; then send service.start worker -; fi ;;
	service.state,worker,down)
		worker_is_down "$time" "$pid" "$how" "$status" "$up" "$down" ;;
	service.state,logger,down)
		logger_is_down "$how" ;;
	signal,SIGINT,* | signal,SIGTERM,* | signal,SIGHUP,*)
		if [ -z "$stopping" ]; then
			stopping=yes
			say "got $name, ending the worker"
			send statedump           # shows where the worker is; the cases above do the rest
		fi ;;
	overflow,*)                      # we read so slowly that events were dropped: look anew
		send statedump ;;
	error,*timestamp*)               # we were so slow that the time for the start has passed
		send statedump ;;
	error,*)
		say "daemonproxy says: $name $state" ;;
	esac
done
