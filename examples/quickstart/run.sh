#!/bin/sh
# Starts the quick start in the foreground; Ctrl-C ends it.
# Words after run.sh are handed to daemonproxy: try  run.sh -S /tmp/quickstart.sock
# DAEMONPROXY names the program if it is not ../../build/daemonproxy.

daemonproxy=${DAEMONPROXY:-../../build/daemonproxy}
case $DAEMONPROXY in
[!/]*/*) daemonproxy=$PWD/$DAEMONPROXY ;;
esac
cd "$(dirname "$0")" || exit
if ! command -v "$daemonproxy" >/dev/null; then
	echo "cannot find $daemonproxy: run make build first" >&2
	exit 1
fi
exec "$daemonproxy" -c quickstart.conf "$@"
