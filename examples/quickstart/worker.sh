#!/bin/sh
# A service that breaks down a second after each start. On SIGTERM it ends well.

# Ctrl-C is the controller's business; it tells us with SIGTERM. (A program that cannot
# ignore SIGINT can be started through setsid, out of the terminal's reach.)
trap '' INT HUP
trap 'echo "worker $$: asked to end, tidying up"; exit 0' TERM

echo "worker $$: at work"
sleep 1
echo "worker $$: something broke" >&2
exit 1
