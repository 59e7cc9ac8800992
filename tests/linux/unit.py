# SPDX-License-Identifier: MIT
"""A second remapping unit for a machine that has only one.

QEMU makes one unit. The registers of a second one are a reserved page of the
guest's RAM, which lies in a file; this side watches the page and answers as
hardware would, as far as a driver can see: commands show up in the status
register and queued invalidations complete. It translates nothing, and nothing
in these machines does DMA through it.

Register and descriptor layouts: VT-d specification, chapters "Register
Descriptions" and "Queued Invalidation Interface".
"""

import mmap
import struct
import time

ADDRESS = 0x3f000000
CMDLINE = 'memmap=64K$0x3f000000 '
RAM = 1 << 30

VERSION, CAP, ECAP, COMMAND, STATUS = 0x00, 0x08, 0x10, 0x18, 0x1c
FAULT_STATUS, QUEUE_HEAD, QUEUE_TAIL, QUEUE_ADDRESS = 0x34, 0x80, 0x88, 0x90
# Bits that stand in the status as long as in the command; and those that
# report that a pointer was taken over.
KEPT, TAKEN = 0x86800000, 0x41000000
WAIT, WAIT_STATUS = 5, 1 << 5


def arguments(folder):
    """QEMU arguments: RAM in a file."""
    return ['-object', 'memory-backend-file,id=ram,size=1G,share=on,mem-path='
            + str(folder / 'ram'), '-machine', 'memory-backend=ram']


def create(folder):
    """Empty RAM."""
    with (folder / 'ram').open('wb') as ram:
        ram.truncate(RAM)


class Unit:
    """The registers, and what they point to."""

    def __init__(self, ram, cap, ecap):
        self.ram = ram
        self.taken = 0
        struct.pack_into('<QQQ', ram, ADDRESS, 0x10, cap, ecap)

    def get(self, size, offset):
        """A register."""
        return struct.unpack_from(size, self.ram, ADDRESS + offset)[0]

    def put(self, size, offset, value):
        """Set a register."""
        struct.pack_into(size, self.ram, ADDRESS + offset, value)

    def commands(self):
        """Let the status follow the command."""
        command = self.get('<I', COMMAND)
        self.taken |= command & TAKEN
        status = command & KEPT | self.taken
        if status != self.get('<I', STATUS):
            self.put('<I', STATUS, status)
        if self.get('<I', FAULT_STATUS):
            self.put('<I', FAULT_STATUS, 0)

    def queue(self):
        """Complete what is queued."""
        if not self.get('<I', STATUS) & 1 << 26:
            if self.get('<Q', QUEUE_HEAD):
                self.put('<Q', QUEUE_HEAD, 0)
            return False
        head, tail = self.get('<Q', QUEUE_HEAD), self.get('<Q', QUEUE_TAIL)
        if head == tail:
            return False
        base = self.get('<Q', QUEUE_ADDRESS)
        pages, base = 1 << (base & 7), base & ~0xfff
        while head != tail:
            low, high = struct.unpack_from('<QQ', self.ram, base + head)
            if low & 0xf == WAIT and low & WAIT_STATUS:
                struct.pack_into('<I', self.ram, high & ~3, low >> 32)
            head = (head + 16) % (4096 * pages)
        self.put('<Q', QUEUE_HEAD, head)
        return True


def serve(folder, capabilities, process, seconds):
    """Be the unit until the machine stops."""
    cap, ecap = (int(word, 16) for word in capabilities.split())
    end = time.monotonic() + seconds
    with (folder / 'ram').open('r+b') as file:
        with mmap.mmap(file.fileno(), RAM) as ram:
            unit = Unit(ram, cap, ecap)
            while process.poll() is None and time.monotonic() < end:
                for _ in range(200):
                    unit.commands()
                    if not unit.queue():
                        time.sleep(0.0001)
    (folder / 'ram').unlink()
