#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command on bundles, good and bad: command_test.py PROGRAM"""
import random
import sys

from bundles import bundle, dmar, drhd, end, function, machine, run, sane, \
    scope, want


def groups(text):
    return run("groups", "--from", "-", text=text)


def calpella(control):
    """Its host bridge, and a display with a unit of its own."""
    units = dmar(drhd(0xfed91000, 0, scope(1, 0, 0, (2, 0))),
                 drhd(0xfed90000, 1))
    rest = bytearray(192)
    rest[0x12:0x14] = control.to_bytes(2, "little")
    lines = "".join(rest[i:i + 16].hex() + "\n" for i in range(0, 192, 16))
    return machine(units, function("0000:00:00.0", 0x0040, 0x0600) + lines,
                   function("0000:00:02.0", 0x0046, 0x0300),
                   function("0000:00:03.0", 0x1000))


def test_graphics():
    lazy = ("--options", "iommu.strict=0")
    for control, device, status, word in (
            (0x0130, "02", 1, "UNIT_GRAPHICS_OFF"),
            (0x0930, "03", 0, "TYPE_NOT_LAZY_GRAPHICS")):
        got = run("explain", "--from", "-", *lazy, f"00:{device}.0",
                  text=calpella(control))
        want(f"graphics control {control:x}", got, status, word)


def check_unknown(good):
    """Less than a whole machine: nothing is claimed that is not known."""
    rest = good[good.index("== config"):]
    table = good[:good.index("== table")] + rest
    want("no table", groups(table), 0, "2 groups", "Linux agrees",
         "the DMAR table is not known")
    alone = groups(bundle([]).replace("== table", "== other"))
    want("no table, no groups", alone, 1, "not confined")
    patched = good.replace("intel_iommu=on", "pcie_acs_override=downstream")
    want("patched kernel", groups(patched), 0, "believe isolation")
    missing = good + "== group 9\ntype DMA-FQ\ndevice 0000:00:09.0\n"
    want("member left out", groups(missing), 1, "nothing is known here")


def main():
    test_graphics()
    good = bundle([["02"], ["03"]])
    want("Linux agrees", groups(good), 0,
         "Linux agrees: all 2 of its groups")
    want("two groups", groups(good), 0, "\n1      0000:00:03.0  DMA-FQ  dmar0")
    want("Linux differs", groups(bundle([["02", "03"]])), 1,
         "Linux has 0000:00:02.0 and 0000:00:03.0 in one group")
    want("Linux unknown", groups(bundle([])), 0, "is not known")
    want("no such command", run("grups"), 2, "no command grups")
    want("option not for it", run("units", "-o", "x"), 2, "does not go")
    want("unknown rules", run("groups", "--from", "-", "--rules", "x"), 2)
    want("help", run("--help"), 0, "usage")
    want("no such file", run("groups", "--from", "/nonexistent"), 1, "No such")
    want("no bundle", groups("hello\n"), 1, ":1: no bundle")
    head = "uiommu-bundle 1\n"
    want("unknown section", groups(good + "== wish\nx\n"), 0, "'wish'")
    want("bad address", groups(head + "== config 0:zz\n"), 1, ":2: ")
    want("bad hex", groups(head + "== config 00:02.0\nxy\n"), 1, ":3: ")
    want("short", groups(head + "== config 00:02.0\n00\n"), 1, "1 bytes")
    want("bad range", groups(head + "== memory\n0x2 0x1 RAM\n"), 1, ":3: ")
    odd = "device 0000:00:02.0\nregion 0x2000 0x1fff direct\n"
    want("backwards region", groups(good + "== group 7\n" + odd), 1,
         "ends below its beginning")
    want("bad region", groups(head + "== group 0\nregion 0x2 x\n"), 1, ":3: ")
    want("bad table", groups(head + "== table DMAR\n00\n"), 1,
         "cannot be used")
    vmd = good + function("10000:e0:01.0", 0x1002) + \
        "== group 7\ntype DMA-FQ\ndevice 10000:e0:01.0\n"
    want("domain above ffff", groups(vmd), 1,
         "Linux has 10000:e0:01.0 in a group")
    want("bad function", groups(head + "== config 10000:e0:01.g\n"), 1,
         ":2: no PCI address")
    want("asks as another", groups(vmd + "== function 10000:e0:01.0\n"
                                   "requester 0000:00:03.0\n"), 1,
         "\n1+7    0000:00:03.0")
    want("asks as nobody", groups(vmd + "== function 10000:e0:01.0\n"
                                  "requester 0000:00:04.0\n"), 1,
         "10000:e0:01.0 cannot ask as another")
    check_unknown(good)
    want("explain Linux's number", run("explain", "1", "--from", "-", text=good),
         0, "Group 1: 1 device")
    want("explain nobody", run("explain", "9", "--from", "-", text=good), 2,
         "no device and no group '9'")
    passing = good.replace("type DMA-FQ", "type identity")
    want("types differ", groups(passing), 1, "default domain is identity")
    want("built for pass-through", groups(
        passing + "== dmesg\niommu: Default domain type: Passthrough\n"), 0,
         "Linux agrees")
    both = vmd + function("8000:e0:01.0", 0x1003)
    want("segment taken", groups(both), 1,
         "PCI domain 8000 beside domain 10000")
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(200):
        text = list(good[:dice.randrange(len(good))] if dice.random() < .3
                    else good)
        for _ in range(dice.randrange(8) if text else 0):
            text[dice.randrange(len(text))] = chr(dice.randrange(256))
        got = groups("".join(text))
        if not sane(got):
            want(f"garbled: {''.join(text)!r}", got, 0)
    return end()


if __name__ == "__main__":
    sys.exit(main())
