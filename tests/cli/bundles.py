# SPDX-License-Identifier: MIT
"""What tests of the command share: running it, and machines to feed it."""
import struct
import subprocess
import sys

FAULTS = []


def run(*words, text=""):
    done = subprocess.run([sys.argv[1], *words], input=text.encode("latin-1"),
                          capture_output=True, check=False)
    return (done.returncode, done.stdout.decode("latin-1"),
            done.stderr.decode("latin-1"))


def want(what, got, status, *words):
    text = got[1] + got[2]
    if got[0] != status or any(word not in text for word in words):
        FAULTS.append(what)
        print(f"NOT OK {what}: status {got[0]}\n{text}")


def end():
    print(f"{len(FAULTS)} faults")
    return 1 if FAULTS else 0


def sane(got):
    """Did it end as it should, whatever it was fed?"""
    return got[0] in (0, 1) and "Sanitizer" not in got[2] and \
        "runtime error" not in got[2]


def scope(kind, number, bus, *hops):
    """Each hop a pair of device and function."""
    path = b"".join(bytes(hop) for hop in hops)
    return bytes([kind, 6 + len(path), 0, 0, number, bus]) + path


def drhd(base, flags=0, scopes=b""):
    return struct.pack("<HHBBHQ", 0, 16 + len(scopes), flags, 0, 0,
                       base) + scopes


def rmrr(first, last, scopes):
    return struct.pack("<HHHHQQ", 1, 24 + len(scopes), 0, 0, first,
                       last) + scopes


def dmar(*records, flags=0, width=48):
    """One unit at 0xfed90000 that takes all, unless there are others."""
    body = b"".join(records) or drhd(0xfed90000, 1)
    table = struct.pack("<4sIBB6s8sI4sIBB10x", b"DMAR", 48 + len(body), 1, 0,
                        b"TEST  ", b"TEST    ", 1, b"TEST", 1, width - 1,
                        flags) + body
    return table[:9] + bytes([-sum(table) & 255]) + table[10:]


def function(sid, device, kind=0x0200):
    """Conventional endpoint."""
    words = struct.pack("<HHIBBHI", 0x8086, device, 0, 0, 0, kind, 0)
    return f"== config {sid}\n{words.hex()}\n" + ("00" * 16 + "\n") * 3


def bridge(sid, device, bus):
    """Conventional bridge to a bus."""
    words = struct.pack("<HHIBBHIII", 0x8086, device, 0, 0, 0, 0x0604,
                        0x10000, 0, 0) + bytes([0, bus, bus, 0])
    return f"== config {sid}\n{words[:16].hex()}\n{words[16:].hex()}" + \
        "00" * 4 + "\n" + ("00" * 16 + "\n") * 2


def machine(table, *parts):
    head = "uiommu-bundle 1\n== cmdline\nintel_iommu=on\n"
    return head + f"== table DMAR\n{table.hex()}\n" + "".join(parts)


def bundle(groups):
    text = machine(dmar(), function("0000:00:02.0", 0x1000),
                   function("0000:00:03.0", 0x1001))
    for number, devices in enumerate(groups):
        text += f"== group {number}\ntype DMA-FQ\n"
        text += "".join(f"device 0000:00:{d}.0\n" for d in devices)
        text += "region 0xfee00000 0xfeefffff msi\n"
    return text
