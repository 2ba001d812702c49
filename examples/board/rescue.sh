#!/bin/sh
# What process 1 becomes if daemonproxy fails: it tells why, ends what still runs, and
# has the machine start again.
[ $$ = 1 ] || exit
echo "rescue: process $$ is here, because of: $DAEMONPROXY_ERROR (exit status $DAEMONPROXY_EXITCODE)"
kill -TERM -1
sleep 1
exec /sbin/daemonproxy --system reboot
