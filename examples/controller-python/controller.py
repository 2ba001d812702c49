#!/usr/bin/env python3
"""A controller that runs the services of a table in an SQLite database.

    daemonproxy -c services.conf        starts it (needs Python 3.6 or later, nothing else)
    kill -HUP  PID of daemonproxy       applies changes of the table
    kill -TERM PID of daemonproxy       ends the services, then daemonproxy; so does Ctrl-C

The table tells what shall be, daemonproxy's events tell what is. step() compares the two for
one service and says which commands come next; when they are done it is asked again, until
there is nothing left to do. It needs no memory of its own, so this program can be killed at
any moment: daemonproxy starts it again, it asks for a statedump and carries on. A service
whose row did not change gets no command at all.

A change takes effect in this order: auto_up off, new values, SIGTERM, and when the process
is gone auto_up on. So a service that shall run but has auto_up off is in the middle of a
change, whoever began it.

Services that this program made have the tag "table". It leaves others alone.
"""

import os
import re
import select
import shlex
import signal
import sqlite3
import sys
import time
from pathlib import Path

EVENTS, COMMANDS = 0, 1
GRACE = 10  # seconds from SIGTERM to SIGKILL, when everything is to end
TAG = "table"
KEEP = object()  # in the place of a Row: leave that service as it is


def say(*words):
    print("controller:", *words, file=sys.stderr, flush=True)


class Row:
    """What shall be of one service, as the wire has it."""

    def __init__(self, name, args, fds, delay, enabled):
        words = shlex.split(args)
        self.args = "\t".join(words)
        self.fds = "\t".join(fds.split())
        self.auto_up = "%d\talways" % delay
        self.enabled = bool(enabled)
        if not re.fullmatch("[A-Za-z0-9._-]{1,31}", name):
            raise ValueError("bad name")
        if not words or not words[0] or re.search("[\t\n\0]", args):
            raise ValueError("args have to begin with a program, and not to contain TABs or newlines")
        if len((self.args + self.fds).encode()) > 4000:
            raise ValueError("args or fds are too long")
        if not re.fullmatch("[A-Za-z0-9._\t-]*", self.fds):
            raise ValueError("bad name in fds")
        if not 1 <= delay <= 0x7FFFFFFF:
            raise ValueError("bad delay")


class Service:
    """What is, as the events told it."""

    def __init__(self):
        self.state = "down"
        self.tags = self.args = self.fds = ""
        self.auto_up = "-"
        self.waiting = 0  # the number of the echo that follows our commands
        self.last = []  # these commands; the same ones are not sent twice in a row


def load(path):
    """Reads the table into {name: Row}, with KEEP for a row that makes no sense."""
    table = {}
    db = sqlite3.connect(path)
    try:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'service'").fetchone():
            db.executescript(Path(__file__).with_name("services.sql").read_text())
        for row in db.execute("SELECT name, args, fds, delay, enabled FROM service"):
            try:
                table[row[0]] = Row(*row)
            except (ValueError, TypeError, AttributeError) as problem:
                say("row %r: %s; the service stays as it is" % (row[0], problem))
                table[row[0]] = KEEP
    finally:
        db.close()
    return table


class Controller:
    def __init__(self, path):
        self.path = path
        self.table = None  # None until it could be read
        self.services = {}
        self.echoes = 0
        self.syncing = 0  # the number of the echo that ends the statedump
        self.stopping = self.overdue = self.terminated = False
        self.deadline = None
        self.out = b""  # commands that are not yet written

    def send(self, *fields):
        self.out += "\t".join(fields).encode("utf-8", "surrogateescape") + b"\n"

    def echo(self):
        """Asks for a line that comes after all that our commands so far bring about."""
        self.echoes += 1
        self.send("echo", "done", str(self.echoes))
        return self.echoes

    def resync(self):
        """Reads the table, and has daemonproxy tell everything anew."""
        try:
            self.table = load(self.path)
        except (sqlite3.Error, OSError) as problem:
            say("cannot read %s: %s" % (self.path, problem))
        self.services = {}
        self.send("statedump")
        self.syncing = self.echo()

    # --- events

    def event(self, line):
        kind, *fields = line.split("\t")
        if kind.startswith("service."):
            self.service_event(kind, fields[0], fields[1:])
        elif kind == "done":
            self.done(int(fields[0]))
        elif kind == "signal":
            self.signal_event(*fields)
        elif kind == "overflow":
            self.resync()  # we read so slowly that events were dropped
        elif kind == "error" or kind.startswith("warning"):
            say("daemonproxy says:", *line.split("\t"))

    def service_event(self, kind, name, values):
        if kind == "service.state" and values[0] == "deleted":
            self.services.pop(name, None)
        else:
            service = self.services.setdefault(name, Service())
            value = values[0] if kind == "service.state" else "\t".join(values)
            setattr(service, kind[len("service."):], value)
        self.converge(name)

    def done(self, number):
        if number == self.syncing:
            self.syncing = 0
            self.converge_all()
        for name, service in list(self.services.items()):
            if service.waiting == number:
                service.waiting = 0
                self.converge(name)

    def signal_event(self, name, _time, count):
        if name in ("SIGTERM", "SIGINT"):
            # Not cleared: daemonproxy tells it again to a successor of this process.
            if not self.stopping:
                say("got %s, ending the services" % name)
                self.stopping = True
                self.deadline = time.monotonic() + GRACE
                self.resync()
        else:
            self.send("signal.clear", name, count)
            if name == "SIGHUP":
                self.resync()

    # --- what to do

    def wanted(self, name):
        """A Row, None for a service that shall not be, or KEEP."""
        if self.stopping:
            return None
        return KEEP if self.table is None else self.table.get(name)

    def step(self, name):
        """The next commands for a service; none if it is as it shall be."""
        service, row = self.services.get(name), self.wanted(name)
        if row is KEEP:
            return []
        if service is None:
            return [("service.tags", name, TAG)] if row else []
        if service.tags != TAG:
            if row:
                say("%s is in the table, but was not made from it" % name)
                self.table[name] = KEEP
            return []
        run = row is not None and row.enabled
        changed = row is not None and (service.args, service.fds) != (row.args, row.fds)
        if service.auto_up != "-" and (changed or not run):
            say("%s: %s" % (name, "changed" if changed else "not wanted any more"))
            return [("service.auto_up", name, "-")]
        if changed:
            return [("service.args", name, row.args), ("service.fds", name, row.fds)]
        if service.auto_up == "-":
            if service.state == "up":
                return [("service.signal", name, "SIGKILL" if self.overdue else "SIGTERM")]
            if service.state == "start":
                return [("service.start", name, "-")]
            if run:
                return [("service.auto_up", name, row.auto_up)]
            if row is None and not self.stopping:
                return [("service.delete", name)]
            return []
        if service.auto_up != row.auto_up:
            return [("service.auto_up", name, row.auto_up)]
        return []

    def converge(self, name):
        """Sends the next commands for a service, once the last ones are done."""
        service = self.services.get(name)
        if self.syncing or (service and service.waiting):
            return
        commands = self.step(name)
        if commands:
            service = self.services.setdefault(name, Service())
        if service and commands != service.last:
            service.last = commands
            if commands:
                for command in commands:
                    self.send(*command)
                service.waiting = self.echo()

    def converge_all(self):
        for name in {**self.services, **(self.table or {})}:
            self.converge(name)

    def all_ended(self):
        return not self.syncing and all(
            (service.state, service.auto_up, service.waiting) == ("down", "-", 0)
            for service in self.services.values()
            if service.tags == TAG
        )

    # --- input and output

    def run(self):
        os.set_blocking(EVENTS, False)
        os.set_blocking(COMMANDS, False)
        text = b""
        self.resync()
        while True:
            timeout = None
            if self.stopping and not self.overdue:
                timeout = max(0, self.deadline - time.monotonic())
            readable, writable, _ = select.select([EVENTS], [COMMANDS] if self.out else [], [], timeout)
            if readable:
                some = os.read(EVENTS, 65536)
                if not some:
                    return
                *lines, text = (text + some).split(b"\n")
                for line in lines:
                    self.event(line.decode("utf-8", "surrogateescape"))
            if self.stopping and not self.overdue and time.monotonic() >= self.deadline:
                self.overdue = True
                self.converge_all()
            if self.stopping and not self.terminated and self.all_ended():
                say("all services are down; good-bye")
                self.terminated = True
                self.send("terminate", "0")
            if writable:
                self.out = self.out[os.write(COMMANDS, self.out):]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C comes to us as an event
    try:
        Controller(sys.argv[1] if len(sys.argv) > 1 else "services.db").run()
    except ConnectionError:
        pass  # daemonproxy has ended
