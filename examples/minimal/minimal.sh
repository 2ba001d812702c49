#!/bin/sh
# Keeps the service "web" running: 2 seconds after each end it is started again.
# SIGTERM or Ctrl-C ends it and daemonproxy. Run: daemonproxy -c minimal.conf

trap '' INT                  # Ctrl-C comes to us as an event, like any other signal
IFS=$(printf '\t')           # read splits at TABs, "$*" joins with them
send() { printf '%s\n' "$*"; }

stopping=
send statedump               # the present state, told in the words of events
while read -r event name state time rest; do
	case $stopping,$event,$name,$state in
	,signal,SIGTERM,* | ,signal,SIGINT,*)
		stopping=yes
		send statedump ;;
	,service.state,web,down)
		case $time in
		-) send service.start web ;;
		*) send service.start web $((time + 2)) ;;
		esac ;;
	yes,service.state,web,start) send service.start web - ;;
	yes,service.state,web,up) send service.signal web SIGTERM ;;
	yes,service.state,web,down) send terminate 0 ;;
	,error,*timestamp*) send service.start web ;;    # already in the past: now
	*,error,*) echo "daemonproxy: $name" >&2 ;;
	*,overflow,*) send statedump ;;                  # events were dropped: look anew
	esac
done
