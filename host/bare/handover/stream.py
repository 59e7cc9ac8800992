# SPDX-License-Identifier: MIT
"""Packets that come whether anybody wants them or not."""

import socket
import struct
import threading

MAC = b'\x52\x54\x00\x12\x34\x56'  # QEMU's first
SOURCE = b'\x52\x54\x00\xff\xff\x01'
PROTOCOL = 0x88b5  # for local experiments
MAGIC = b'uIOMMU hand-over'
SIZE = 256


def packet(number):
    """An Ethernet frame; its number stands behind the magic."""
    head = MAC + SOURCE + struct.pack('>H', PROTOCOL)
    body = MAGIC + struct.pack('<Q', number)
    return head + body + bytes(SIZE - len(head) - len(body))


class Stream(threading.Thread):
    """Sends into QEMU's "dgram" back end until it is told to end."""

    def __init__(self, folder, seconds_each):
        super().__init__(daemon=True)
        self.ours, self.theirs = folder / 'net.here', folder / 'net.qemu'
        self.pause = seconds_each
        self.stop = threading.Event()
        self.sent = 0
        for path in (self.ours, self.theirs):
            path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.ours))
        self.socket.setblocking(False)

    def netdev(self):
        """The option for QEMU."""
        return ('dgram,id=net,local.type=unix,local.path=%s,'
                'remote.type=unix,remote.path=%s' % (self.theirs, self.ours))

    def run(self):
        while not self.stop.wait(self.pause):
            try:
                while self.socket.recv(65536):
                    pass  # what Linux sends is not wanted
            except OSError:
                pass
            try:
                self.socket.sendto(packet(self.sent), str(self.theirs))
                self.sent += 1
            except OSError:
                pass  # QEMU is not there yet, or has enough for now

    def end(self):
        """No more packets."""
        self.stop.set()
        self.join()
        self.socket.close()
