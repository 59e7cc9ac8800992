#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""uiommu dmar: dmar_test.py PROGRAM [FOLDER OF REAL TABLES]"""
import json
import os
import random
import struct
import sys
import tempfile

from bundles import (bridge, dmar, drhd, end, function, machine, rmrr, run,
                     sane, scope, want)

RHSA = struct.pack("<HHIQI", 3, 20, 0, 0xfed91000, 7)
ATSR = struct.pack("<HHBBH", 2, 8, 1, 0, 0)
SATC = struct.pack("<HHBBH", 5, 16, 1, 0, 0) + scope(1, 0, 0, (3, 0))
SIDP = struct.pack("<HHBBH", 6, 16, 0, 0, 0) + \
    bytes([1, 8, 0x10, 0, 0, 0, 3, 0])
ANDD = struct.pack("<HHBBBB", 4, 20, 0, 0, 0, 9) + b"\\_SB.I2C0\0\0\0"


def whole():
    """Every type of record, nothing wrong."""
    own = scope(1, 0, 0, (3, 0)) + scope(1, 0, 0, (0x1c, 0), (0, 0)) + \
        scope(3, 2, 0xf0, (0x1f, 0)) + scope(5, 9, 0, (0x15, 0))
    return dmar(drhd(0xfed90000, 0, own), drhd(0xfed91000, 1),
                rmrr(0x7b800000, 0x7fffffff, scope(1, 0, 0, (3, 0))),
                ATSR, RHSA, ANDD, SATC, SIDP, flags=5, width=39)


def topology():
    return [function("0000:00:03.0", 0x1000),
            bridge("0000:00:1c.0", 0x1001, 2), function("02:00.0", 0x1002)]


def bad():
    """A region that ends below its beginning, and a path of no device."""
    return dmar(drhd(0xfed90000, 1), rmrr(0x9000, 0x3fff,
                                          scope(1, 0, 0, (3, 0))),
                rmrr(0x10000, 0x1ffff, scope(1, 0, 0, (40, 0))))


def ask(folder, table, *words):
    path = os.path.join(folder, "table")
    with open(path, "wb") as file:
        file.write(table)
    return run("dmar", path, *words)


def check_text(folder):
    want("clean", ask(folder, whole()), 0, ": 0 errors, 0 warnings",
         "Header\n", "size           ", "8 records", "address width  39 bits",
         "flags          0x05: interrupt remapping, asks for protection",
         "OEM            'TEST  ', table 'TEST    '")
    want("records", ask(folder, whole()), 0,
         "0x0030  DRHD  segment 0000, registers 0xfed90000 (4 KiB)\n",
         "0x0040  endpoint   0000:00:03.0\n",
         "endpoint   0000:00:1c.0/00.0\n",
         "IOAPIC     0000:f0:1f.0, id 2\n",
         "namespace  0000:00:15.0, id 9\n",
         "registers 0xfed91000 (4 KiB), INCLUDE_PCI_ALL\n",
         "RMRR  segment 0000, 0x7b800000-0x7fffffff (72 MiB)\n",
         "ATSR  segment 0000, ALL_PORTS\n",
         "RHSA  the unit at 0xfed91000 is near to proximity domain 7\n",
         "ANDD  ACPI device 9 is \\_SB.I2C0\n",
         "SATC  segment 0000, ATC_REQUIRED\n", "SIDP  segment 0000\n",
         ", needs ATS\n")
    got = ask(folder, bad())
    want("findings", got, 1, ": 2 errors, ", "\nerror    0x00",
         "RMRR  segment 0000, 0x9000-0x3fff (ends below its beginning)  "
         "not used\n", "0000:00:28.0  not used\n")
    if got[1].find("\nerror ") > got[1].find("\nHeader"):
        want("findings come first", got, 0)
    want("error alone", ask(folder, dmar(drhd(0xfed90000, 1), rmrr(
        0x9000, 0x3fff, scope(1, 0, 0, (3, 0))))), 1, ": 1 error, 0 warn")
    want("warning alone", ask(folder, dmar(drhd(0xfed90000, 1),
                                           drhd(0xfed91000, 1))), 1,
         ": 0 errors, 2 warnings,")
    want("colour", ask(folder, bad(), "--color", "always"), 1, "\033[1;31m")
    want("checksum", ask(folder, whole()[:-1] + b"\1"), 1, "bytes add up to")
    want("empty", ask(folder, b""), 1, "no DMAR")
    want("large", ask(folder, bytes(0x20001)), 1, "no DMAR")
    want("no file", run("dmar", "/nonexistent"), 1, "No such")
    want("file and source", run("dmar", "x", "--from", "y"), 2, "not both")


def check_machine():
    text = machine(whole(), *topology())
    got = run("dmar", "--from", "-", text=text)
    want("names", got, 0, "0000:00:1c.0/00.0  0000:02:00.0 ",
         "0000:00:03.0  ")
    want("no table", run("dmar", "--from", "-", text="uiommu-bundle 1\n"), 1,
         "no DMAR table")
    fewer = machine(whole(), topology()[0])
    want("missing", run("dmar", "--from", "-", text=fewer), 0,
         "0000:00:1c.0/00.0  not in the machine\n")


def parse(what, got, status):
    want(what, got, status)
    try:
        return json.loads(got[1])
    except ValueError:
        want(what + " is JSON", got, -1)
        return {}


def same(what, got, wanted):
    if got != wanted:
        want(f"{what}: {got!r}, not {wanted!r}", (0, "", ""), 1)


def check_json(folder):
    text = machine(whole(), *topology())
    got = parse("JSON", run("dmar", "--from", "-", "--json", text=text), 0)
    records = got.get("records", [])
    same("types", [r["type"] for r in records],
         ["DRHD", "DRHD", "RMRR", "ATSR", "RHSA", "ANDD", "SATC", "SIDP"])
    same("devices", [s["device"] for s in records[0]["scopes"]],
         ["0000:00:03.0", "0000:02:00.0", None, None])
    same("kinds", [s["type"] for s in records[0]["scopes"]],
         ["endpoint", "endpoint", "IOAPIC", "namespace"])
    same("path", records[0]["scopes"][1]["path"], "0000:00:1c.0/00.0")
    same("memory", records[2]["memory"],
         {"first": "0x7b800000", "last": "0x7fffffff"})
    same("all", [r.get("include_pci_all") for r in records[:2]],
         [False, True])
    same("flags", got["header"]["flags"],
         ["INTR_REMAP", "DMA_CTRL_PLATFORM_OPT_IN"])
    same("name", (records[5]["name"], records[5]["id"]), ("\\_SB.I2C0", 9))
    same("SIDP", records[7]["scopes"][0]["flags"], ["ATC_REQUIRED"])
    same("no finding", [f for f in got["dmar_findings"]
                        if f["severity"] != "note"], [])
    got = parse("bad JSON", ask(folder, bad(), "--json"), 1)
    same("bad records", [r["usable"] for r in got["records"]],
         [True, False, True])
    same("bad scope", got["records"][2]["scopes"][0]["usable"], False)
    same("errors", [f["severity"] for f in got["dmar_findings"]].count("error"),
         2)
    got = parse("no table", ask(folder, whole()[:-1] + b"\1", "--json"),
                1)
    same("usable", got["usable"], False)


def check_garbled(folder):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for i in range(100):
        table = bytearray(whole())
        for _ in range(dice.randrange(1, 6)):
            table[dice.randrange(44, len(table))] = dice.randrange(256)
        table[9] = 0
        table[9] = -sum(table) & 255
        got = ask(folder, bytes(table), *["--json"] * (i & 1))
        if not sane(got):
            want(f"garbled {bytes(table).hex()}", got, 0)


def check_real(folder):
    """Records as a reader of a few lines counts them."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            table = file.read()
        got = run("dmar", path)
        if not sane(got):
            want(f"{name} is read", got, 0)
        got = run("dmar", path, "--json")
        if not sane(got):
            want(f"{name} as JSON", got, 0)
        offset, count = 48, 0
        while offset + 4 <= len(table):
            length = struct.unpack_from("<H", table, offset + 2)[0]
            if length < 4 or offset + length > len(table):
                break
            offset += length
            count += 1
        document = json.loads(got[1])
        if document["usable"]:
            same(f"records of {name}", len(document["records"]), count)
    print(f"{len(names)} real tables")


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_text(folder)
        check_json(folder)
        check_garbled(folder)
    check_machine()
    if len(sys.argv) > 2:
        check_real(sys.argv[2])
    return end()


if __name__ == "__main__":
    sys.exit(main())
