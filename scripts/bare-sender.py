#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Send frames to QEMU's machine and never stop: bare-sender.py OURS QEMU

Both are names of sockets for datagrams, as in QEMU's -netdev dgram. Each frame
goes to everybody, is numbered and filled by its number, which the reference
kernel checks (demo_inherit.c). Frames for which there is no room are lost, as
on any wire. Ends when QEMU does.
"""
import socket
import struct
import sys
import time

FRAME_SIZE = 600
FRAMES_PER_SECOND = 1000
START_SECONDS = 10
LIFE_SECONDS = 600
HEAD = bytes.fromhex("ffffffffffff" "020000000001" "88b5")


def frame(number):
    head = HEAD + struct.pack("<I", number)
    return head + bytes((number * 31 + i * 7) & 0xFF
                        for i in range(FRAME_SIZE - len(head)))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    wire.bind(sys.argv[1])
    wire.setblocking(False)
    begin = time.monotonic()
    number = 0
    reached = False
    while time.monotonic() < begin + LIFE_SECONDS:
        try:
            wire.sendto(frame(number), sys.argv[2])
            reached = True
            number += 1
        except BlockingIOError:
            pass
        except OSError:
            # QEMU makes its socket when it starts, and takes it along.
            if reached or time.monotonic() > begin + START_SECONDS:
                return
        time.sleep(1 / FRAMES_PER_SECOND)


main()
