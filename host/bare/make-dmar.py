#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write a DMAR table for QEMU's q35: make-dmar.py FILE [BDF FIRST LAST]...

One unit for everything, at QEMU's fixed address, and for each BDF (bb:dd.f on
the root bus) a reserved region FIRST..LAST that it keeps using. All numbers
hexadecimal. Boot with it as module to try what QEMU's own table never has.
"""
import struct
import sys

UNIT = 0xFED90000
INCLUDE_PCI_ALL = 1
SCOPE_ENDPOINT, SCOPE_IOAPIC = 1, 3
# QEMU's I/O APIC is a requester of its own: bus ff, 00.0.
IOAPIC_BUS, IOAPIC_ID = 0xFF, 0
HOST_ADDRESS_WIDTH = 39


def scope(kind, enumeration_id, bus, device, function):
    return struct.pack("<BBHBBBB", kind, 8, 0, enumeration_id, bus,
                       device, function)


def drhd():
    scopes = scope(SCOPE_IOAPIC, IOAPIC_ID, IOAPIC_BUS, 0, 0)
    return struct.pack("<HHBBHQ", 0, 16 + len(scopes), INCLUDE_PCI_ALL, 0, 0,
                       UNIT) + scopes


def rmrr(bdf, first, last):
    bus, rest = bdf.split(":")
    device, function = rest.split(".")
    if int(bus, 16):
        sys.exit("make-dmar.py: only devices of the root bus")
    scopes = scope(SCOPE_ENDPOINT, 0, 0, int(device, 16), int(function, 16))
    return struct.pack("<HHHHQQ", 1, 24 + len(scopes), 0, 0, int(first, 16),
                       int(last, 16)) + scopes


def main():
    regions = sys.argv[2:]
    if len(sys.argv) < 2 or len(regions) % 3:
        sys.exit(__doc__)
    body = struct.pack("<BB10x", HOST_ADDRESS_WIDTH - 1, 0) + drhd()
    for i in range(0, len(regions), 3):
        body += rmrr(*regions[i:i + 3])
    head = struct.pack("<4sIBB6s8sI4sI", b"DMAR", 36 + len(body), 1, 0,
                       b"UIOMMU", b"BARE    ", 1, b"UIOM", 1)
    table = bytearray(head + body)
    table[9] = -sum(table) & 0xFF
    with open(sys.argv[1], "wb") as out:
        out.write(table)


main()
