#!/bin/sh
# Prints what comes through the pipe, and ends when the pipe's last write end is closed.

# Ctrl-C reaches every process of the terminal. The logger has to outlive those who
# write to it, so it does not listen.
trap '' INT HUP

while IFS= read -r line; do
	printf 'log: %s\n' "$line"
done
