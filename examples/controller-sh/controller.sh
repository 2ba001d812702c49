#!/bin/sh
# A controller in POSIX sh: keeps services running, with growing delays after crashes, and
# on SIGTERM or Ctrl-C to daemonproxy ends everything in order. services.conf defines the
# services. Run it with:  daemonproxy -c services.conf
#
# The order: SIGTERM to the services, SIGKILL to those still there after $grace seconds;
# when all are down the pipes are closed, so that each logger reads what is left, comes to
# the end of its input and ends. A logger that does not is killed after another $grace
# seconds. Then daemonproxy ends.
#
# This script may be killed at any time: daemonproxy starts it again, and the statedump
# at its start tells where things stand. All it forgets is how often a service crashed.

set -u
trap '' INT                      # Ctrl-C reaches us as an event, like every other signal

# Names here consist of letters, digits and _, because they become parts of variables.
services='good crashing stubborn'
loggers='logger'
pipes='log.w'                    # the handles that the services write to

shortest=1                       # seconds from a crash to the next start: at first,
longest=60                       # and at most; each delay is twice the one before
steady=10                        # a run of so many seconds makes the delay short again
grace=5                          # seconds from SIGTERM to SIGKILL

stage=running                    # running; ending services, then loggers; over
now=0                            # the latest time that an event told, by daemonproxy's clock
deadline=0 overdue=no            # when to use SIGKILL, and whether it is time

# For each service N there is state_N: up, start, down, or unknown before its first event;
# delay_N: the last delay; counted_N: the pid whose end led to it.

TAB=$(printf '\t')
send() { IFS=$TAB; printf '%s\n' "$*"; unset IFS; }
say() { echo "controller: $*" >&2; }

# resync asks for events that tell the present state of everything.
resync() {
	for each in $services $loggers; do eval "state_$each=unknown"; done
	send statedump
}

# restart starts a service that is down: at once, or when its delay is over.
restart() { # NAME TIME PID HOW STATUS UPTIME DOWNTIME; all are - if it never ran
	if [ "$3" = - ]; then
		send service.start "$1"
		return
	fi
	eval "delay=\${delay_$1:-0} counted=\${counted_$1:-}"
	if [ "$3" != "$counted" ]; then  # else a statedump repeats what we know
		delay=$((delay * 2))
		if [ "$6" -ge $steady ] || [ $delay -lt $shortest ]; then delay=$shortest; fi
		if [ $delay -gt $longest ]; then delay=$longest; fi
		eval "delay_$1=$delay counted_$1=$3"
		say "$1 ended ($4 $5), next start in $delay s"
	fi
	if [ "$7" -ge "$delay" ]; then
		send service.start "$1"
	else
		send service.start "$1" $(($2 + delay))
	fi
}

# finish ends a service that is up.
finish() { # NAME
	if [ $overdue = yes ]; then
		say "$1 did not end in time, killing it"
		send service.signal "$1" SIGKILL
	else
		send service.signal "$1" SIGTERM
	fi
}

# changed answers every new state of a service or logger.
changed() { # NAME STATE TIME PID HOW ...
	case $2 in deleted) eval "state_$1=down" ;; *) eval "state_$1=$2" ;; esac
	case " $loggers " in *" $1 "*) kind=logger ;; *) kind=service ;; esac
	case $stage,$kind,$2 in
	running,service,down)
		name=$1; shift 2; restart "$name" "$@" ;;
	services,service,up | loggers,service,up)
		finish "$1" ;;
	services,service,start | loggers,service,start)
		send service.start "$1" - ;;
	loggers,logger,up)
		if [ $overdue = yes ]; then finish "$1"; fi ;;
	loggers,logger,down)
		# Killed by something else, so it may not have read everything.
		if [ $overdue = no ] && [ "$5" = signal ]; then send service.start "$1"; fi ;;
	esac
}

# next_stage ends the next ones, and gives them some time for it.
next_stage() { # STAGE
	stage=$1 overdue=no deadline=$((now + grace))
	send service.start deadline $deadline
	resync
}

# all_down NAMES...: are they?
all_down() {
	for each; do
		eval "state=\$state_$each"
		if [ "$state" != down ]; then return 1; fi
	done
}

# proceed enters the next stage if it is time for it.
proceed() {
	if [ $stage = services ] && all_down $services; then
		say 'all services are down; closing the pipes, for the loggers to end'
		for each in $loggers; do send service.auto_up "$each" -; done
		for each in $pipes; do send fd.delete "$each"; done
		next_stage loggers
	elif [ $stage = loggers ] && all_down $services $loggers; then
		say 'all loggers are down; good-bye'
		stage=over
		send terminate 0
	fi
}

too_late() { # for the services or loggers that are not down
	overdue=yes
	for each in $services $loggers; do
		eval "state=\$state_$each"
		case $stage,$state in
		services,unknown | loggers,unknown) eval "state_$each=down" ;;  # no such service
		services,up | loggers,up) changed "$each" up ;;
		esac
	done
}

resync
while IFS=$TAB read -r event name value time pid how status uptime downtime; do
	case $event,$name in
	service.state,deadline)      # its end is what we wait for
		case $value,$pid in
		down,[0-9]*) if [ "$time" -ge $deadline ]; then too_late; fi ;;
		esac ;;
	service.state,*)
		if [ "$value" = down ] && [ "$pid" != - ] && [ $((time + downtime)) -gt $now ]; then
			now=$((time + downtime))
		fi
		case " $services $loggers " in
		*" $name "*) changed "$name" "$value" "$time" "$pid" "$how" "$status" "$uptime" "$downtime" ;;
		esac ;;
	signal,SIGTERM | signal,SIGINT)      # NAME TIME COUNT
		if [ $stage = running ]; then
			say "got $name"
			now=$value
			next_stage services
		fi ;;
	signal,*)
		send signal.clear "$name" "$time" ;;
	overflow,*)                  # we were so slow that events were dropped
		resync ;;
	error,*timestamp*)           # we were so slow that the time has passed
		if [ "$value" = deadline ]; then too_late; else send statedump; fi ;;
	error,*)
		say "daemonproxy says: $name $value" ;;
	esac
	proceed
done
