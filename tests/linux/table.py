# SPDX-License-Identifier: MIT
"""Firmware tables for a scenario, from a few words a record.

A table is a list of lines:
    flags NUMBER | width BITS | table-raw HEX
    drhd ADDRESS [all] [segment=N] SCOPE...
    rmrr FIRST LAST [segment=N] SCOPE...
    atsr [all] [segment=N] SCOPE...
    satc [flags=N] [segment=N] SCOPE...
    rhsa ADDRESS DOMAIN
    andd NUMBER NAME
A scope is KIND:BUS:DEVICE.FUNCTION[/DEVICE.FUNCTION...]; KIND is endpoint,
bridge, ioapic=ID, hpet=ID or acpi=ID. Addresses, buses, devices are
hexadecimal. The layout is that of chapter "BIOS Considerations" of the VT-d
specification.
"""

import struct
import subprocess

SCOPE_KINDS = {'endpoint': 1, 'bridge': 2, 'ioapic': 3, 'hpet': 4, 'acpi': 5}
# Linux replaces a table by one of the same names with a higher revision.
OEM = b'BOCHS ' + b'BXPC    ' + struct.pack('<I', 0x7fffffff)
CREATOR = b'UIOM' + struct.pack('<I', 1)


def scope(text):
    """The bytes of one device scope."""
    kind, bus, path = text.split(':')
    kind, _, number = kind.partition('=')
    hops = b''
    for hop in path.split('/'):
        device, function = hop.split('.')
        hops += bytes([int(device, 16), int(function, 16)])
    return bytes([SCOPE_KINDS[kind], 6 + len(hops), 0, 0,
                  int(number or '0'), int(bus, 16)]) + hops


def record(line):
    """The bytes of one record."""
    kind, *words = line.split()
    options = dict(word.split('=') for word in words
                   if '=' in word and ':' not in word)
    scopes = b''.join(scope(word) for word in words if ':' in word)
    plain = [word for word in words if '=' not in word and ':' not in word]
    every = 'all' in plain
    segment = int(options.get('segment', '0'), 16)
    if kind == 'drhd':
        body = struct.pack('<BBHQ', every, 0, segment, int(plain[0], 16))
        number = 0
    elif kind == 'rmrr':
        body = struct.pack('<HHQQ', 0, segment, int(plain[0], 16),
                           int(plain[1], 16))
        number = 1
    elif kind == 'atsr':
        body, number = struct.pack('<BBH', every, 0, segment), 2
    elif kind == 'rhsa':
        body = struct.pack('<IQI', 0, int(plain[0], 16), int(plain[1]))
        number = 3
    elif kind == 'andd':
        body = bytes([0, 0, 0, int(plain[0])]) + plain[1].encode() + b'\0'
        number = 4
    elif kind == 'satc':
        flags = int(options.get('flags', '0'), 16)
        body, number = struct.pack('<BBH', flags, 0, segment), 5
    else:
        raise ValueError('unknown record: ' + line)
    return struct.pack('<HH', number, 4 + len(body) + len(scopes)) + \
        body + scopes


def dmar(lines):
    """A whole DMAR table."""
    flags, width, body = 1, 39, b''
    for line in lines:
        word, _, rest = line.partition(' ')
        if word == 'flags':
            flags = int(rest, 16)
        elif word == 'width':
            width = int(rest)
        elif word == 'table-raw':
            body += bytes.fromhex(rest)
        else:
            body += record(line)
    head = struct.pack('<4sIBB', b'DMAR', 48 + len(body), 1, 0) + OEM + \
        CREATOR + bytes([width - 1, flags]) + bytes(10)
    table = bytearray(head + body)
    table[9] = -sum(table) & 0xff
    return bytes(table)


EXTERNAL = '''
    External (\\_SB.PCI0.S%02X, DeviceObj)
    Scope (\\_SB.PCI0.S%02X) {
        Name (_DSD, Package () {
            ToUUID ("efcc06cc-73ac-4bc3-bff0-76143807c389"),
            Package () {
                Package () { "ExternalFacingPort", 1 },
                Package () { "UID", 0 }
            }
        })
    }
'''
DEVICE = '''
    Scope (\\_SB) {
        Device (%s) {
            Name (_HID, "%s")
            Method (_STA, 0, NotSerialized) { Return (15) }
        }
    }
'''


def ssdt(lines, folder):
    """A secondary table: "external DEVICE" (a number of slot 0.0 on bus 0),
    "device NAME HID"; compiled by iasl in @folder."""
    text = 'DefinitionBlock ("", "SSDT", 2, "UIOMMU", "SCENARIO", 1) {'
    for line in lines:
        word, *rest = line.split()
        if word == 'external':
            device, function = rest[0].split('.')
            devfn = int(device, 16) << 3 | int(function, 16)
            text += EXTERNAL % (devfn, devfn)
        elif word == 'device':
            text += DEVICE % (rest[0], rest[1])
        else:
            raise ValueError('unknown word: ' + line)
    (folder / 'ssdt.asl').write_text(text + '}\n')
    subprocess.run(['iasl', '-p', 'ssdt', 'ssdt.asl'], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)
    return (folder / 'ssdt.aml').read_bytes()
