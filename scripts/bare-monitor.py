#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do to QEMU's machine what the kernel in it asks for: bare-monitor.py SOCKET LOG

The kernel prints lines such as

    host: device_add driver=edu,id=hot0,bus=hot
    host: device_del id=hot0
    host: disk_pace iops=0

on its console, of which LOG is a copy that grows; each becomes a command at
the monitor (QMP) on SOCKET. Nothing is said back: the kernel watches its slot.
The pace is that of the drive "disk", in accesses a second; 0 is as fast as it
can.
Ends with QEMU, or when it cannot be reached.
"""
import json
import re
import socket
import sys
import time

COMMANDS = ("device_add", "device_del")
RATES = ("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr")
REQUEST = re.compile(rb"^host: (\w+) ([\w=,.:-]+)\r?\n", re.MULTILINE)
CONNECT_SECONDS = 10
LIFE_SECONDS = 600
POLL_SECONDS = 0.01


def say(text):
    print(f"bare-monitor: {text}", file=sys.stderr, flush=True)


def patiently(path, attempt):
    """QEMU makes both files when it starts, which may be after us."""
    end = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            return attempt(path)
        except OSError as e:
            if time.monotonic() > end:
                sys.exit(f"bare-monitor: {path}: {e.strerror}")
        time.sleep(POLL_SECONDS)


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(path)
    except OSError:
        s.close()
        raise
    return s


class Monitor:
    """Commands go out one by one; False where QEMU has ended."""

    def __init__(self, path):
        self.socket = patiently(path, connect)
        self.socket.settimeout(POLL_SECONDS)
        self.rest = b""

    def lines(self):
        """What QEMU said since; None when it is gone."""
        try:
            got = self.socket.recv(65536)
        except TimeoutError:
            return []
        except OSError:
            return None
        if not got:
            return None
        *whole, self.rest = (self.rest + got).split(b"\n")
        return [json.loads(line) for line in whole]

    def send(self, command, arguments=None):
        message = {"execute": command, "arguments": arguments or {}}
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            pass  # the next lines() tells


def obey(monitor, command, values):
    if command in COMMANDS:
        monitor.send(command, values)
    elif command == "disk_pace" and values.get("iops", "").isdigit():
        pace = dict.fromkeys(RATES, 0)
        pace.update(device="disk", iops=int(values["iops"]))
        monitor.send("block_set_io_throttle", pace)
    else:
        say(f"the kernel asks for {command}, which is not for it")


def serve(monitor, log):
    text = b""
    end = time.monotonic() + LIFE_SECONDS
    monitor.send("qmp_capabilities")
    while time.monotonic() < end:
        replies = monitor.lines()
        if replies is None:
            return
        for reply in replies:
            if "error" in reply:
                say(reply["error"].get("desc", "error"))
        text += log.read()
        done = 0
        for m in REQUEST.finditer(text):
            done = m.end()
            command = m[1].decode()
            pairs = [p.partition("=") for p in m[2].decode().split(",")]
            obey(monitor, command, {k: v for k, _, v in pairs})
        # What does not end in a line yet is looked at again.
        text = text[max(done, text.rfind(b"\n") + 1):]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    monitor = Monitor(sys.argv[1])
    with patiently(sys.argv[2], lambda path: open(path, "rb")) as log:
        serve(monitor, log)


main()
