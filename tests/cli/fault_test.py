#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""uiommu fault: lines of kernels old and new: fault_test.py PROGRAM"""
import json
import os
import random
import shutil
import sys
import tempfile

from bundles import (FAULTS, bridge, dmar, drhd, end, function, machine, rmrr,
                     run, sane, scope, want)

NEW = "DMAR: [DMA Write NO_PASID] Request device [00:02.0] fault addr " \
    "0x12345000 [fault reason 0x05] PTE Write access is not set"


def alone(*words, text=""):
    """Without a machine, whatever this one is."""
    return run(*words, "--root", "/nonexistent", text=text)


def line(device="00:02.0", address="0x12345000", reason="0x05",
         tried="DMA Write NO_PASID"):
    return f"DMAR: [{tried}] Request device [{device}] fault addr " \
        f"{address} [fault reason {reason}] so it says"


def interrupt(device, reason, index="0x12"):
    return f"DMAR: [INTR-REMAP] Request device [{device}] fault index " \
        f"{index} [fault reason {reason}] so it says"


def whole():
    """Two devices with a group each, an RMRR, an I/O APIC, a bridge."""
    table = dmar(drhd(0xfed90000, 1, scope(3, 2, 0xf0, (0x1f, 0)) +
                      scope(4, 0, 0xf0, (0xf, 0))),
                 rmrr(0x7b800000, 0x7b8fffff, scope(1, 0, 0, (3, 0))),
                 flags=1)
    return machine(
        table, function("0000:00:02.0", 0x1000),
        function("0000:00:03.0", 0x1001), bridge("0000:00:1c.0", 0x1002, 2),
        function("0000:02:01.0", 0x1003), function("0001:02:01.0", 0x1004),
        "== function 0000:00:02.0\ndriver e1000\n",
        "== unit dmar0\naddress 0xfed90000\ncap 0x260206\necap 0xf0e0\n",
        "== memory\n0x1000 0x3fffffff System RAM\n"
        "0x40000000 0x4fffffff Reserved\n"
        "0x41000000 0x41000fff ACPI Non-volatile Storage\n")


MACHINE = whole()


def fault(text, *words, status=0, log=""):
    """The document of one line, or of a log on standard input."""
    if log:
        got = alone("fault", "-", "--json", *words, text=log)
    else:
        got = run("fault", text, "--json", "--from", "-", *words,
                  text=MACHINE)
    want(f"{text or log!r}", got, status)
    try:
        return json.loads(got[1])
    except ValueError:
        want(f"{text or log!r} is JSON", got, -1)
        return {"faults": [], "lines": {}}


def same(what, got, wanted):
    if got != wanted:
        FAULTS.append(what)
        print(f"NOT OK {what}: {got!r}, not {wanted!r}")


def fields(one):
    """What a line says, without what is made of it."""
    reason = one["reason"] and one["reason"]["code"]
    return (one["requester"], one["access"], one["pasid"],
            one.get("address", one.get("index")), reason)


def check_lines():
    shapes = {
        NEW: ("00:02.0", "write", None, "0x12345000", 5),
        "<3>[  12.345678] " + NEW: ("00:02.0", "write", None, "0x12345000",
                                    5),
        "Nov 25 10:00:00 box kernel: [DMA Read] [    1.2] " + NEW:
            ("00:02.0", "write", None, "0x12345000", 5),
        "DMAR:[DMA Write] Request device [02:00.0] fault addr ffff0000 "
        "[fault reason 05] PTE Write access is not set":
            ("02:00.0", "write", None, "0xffff0000", 5),
        "DMAR: [DMA Read] Request device [0000:03:00.0] PASID ffffffff fault "
        "addr 1000 [fault reason 06] PTE Read access is not set":
            ("0000:03:00.0", "read", None, "0x1000", 6),
        "DMAR: [DMA Read] Request device [6a:01.0] PASID 7f fault addr "
        "7f0000001000 [fault reason 89] SM: Present bit":
            ("6a:01.0", "read", 0x7f, "0x7f0000001000", 89),
        "DMAR: [DMA Read PASID 0x12] Request device [0x6a:0x1f.7] fault addr "
        "0xfffff000 [fault reason 0x59] SM: Present bit":
            ("6a:1f.7", "read", 0x12, "0xfffff000", 0x59),
        "DMAR: [INTR-REMAP] Request device [f0:1f.7] fault index 0x2b "
        "[fault reason 0x22] Present field":
            ("f0:1f.7", "interrupt", None, "0x2b", 0x22),
        "INTR-REMAP: Request device [[f0:1f.7] fault index 1f "
        "[fault reason 34] Present field":
            ("f0:1f.7", "interrupt", None, "0x1f", 34),
        "DMAR: [DMA Write] Request device [10000:e1:00.0] fault addr "
        "ffffffffffffffff [fault reason 255] Unknown":
            ("10000:e1:00.0", "write", None, "0xffffffffffffffff", 255),
        "DMAR:[DMA Read] Request device [02:00.0] fault addr 0 \n"
        "DMAR:[fault reason 06] PTE Read access is not set":
            ("02:00.0", "read", None, "0x0", 6),
        "DMAR: [DMA Read] Request device [02:00.0] fault addr 0x1000":
            ("02:00.0", "read", None, "0x1000", None),
    }
    for text, wanted in shapes.items():
        got = [fields(f) for f in fault("", log=text)["faults"]]
        same(repr(text), got, [wanted])


def check_no_lines():
    for text in ("", "hello", "DMAR: DRHD: handling fault status reg 2",
                 "dmar_fault: 12 callbacks suppressed",
                 "[fault reason 05] PTE Write access is not set",
                 line(device="00:20.0"), line(device="00:02.8"),
                 line(device="0:0:0:02.0"), line(device="100:02.0"),
                 line(device="02.0"), line(address="x"),
                 line(address="0x12345678123456781"),
                 NEW.replace("fault addr", "addr"), NEW[:60]):
        want(f"no fault in {text!r}", alone("fault", text), 1,
             "no line tells of a DMAR fault")
    want("no word", run("fault"), 2, "LINE|-")
    want("two words", run("fault", "DMAR:", "[DMA"), 2, "one word too many")
    want("both", run("fault", "-", "--from", "-"), 2, "cannot be both")
    want("no such machine", run("fault", NEW, "--from", "/nonexistent"), 1,
         "No such file")


def check_log():
    log = "\n".join([
        "[1.0] DMAR: DRHD: handling fault status reg 3", line(),
        line(address="0x12345fff"), "something else",
        line(address="0x12346000"), line(tried="DMA Read NO_PASID"),
        line(reason="0x07"), line(device="00:03.0"),
        "dmar_fault: 123 callbacks suppressed", line(), "\0\1\xff"])
    got = fault("", log=log)
    same("counts", [f["count"] for f in got["faults"]], [3, 1, 1, 1, 1])
    same("lines", got["lines"],
         {"all": 11, "faults": 7, "others": 2, "suppressed": 123})
    same("order", fields(got["faults"][4]),
         ("00:03.0", "write", None, "0x12345000", 5))
    want("table", alone("fault", "-", text=log), 0,
         "7 faults in 11 lines, 5 of them different; 2 lines about",
         "left out 123 more", "COUNT  REQUESTER  TRIED  ADDRESS     REASON\n",
         "\n3      00:02.0    write  0x12345000  0x05: the page is not",
         "machine is not known")
    got = fault("", log=line() + "\nDMAR:[fault reason 06] a second reason")
    same("a reason of its own", (fields(got["faults"][0])[4],
                                 got["lines"]["others"]), (5, 1))
    numbers = "\n".join(interrupt("f0:1f.7", 34, f"{i:x}") for i in (1, 2))
    same("numbers of interrupts", len(fault("", log=numbers)["faults"]), 2)


def cause(text):
    got = fault(text)["faults"]
    return got[0]["cause"]["id"] if got else None


def check_causes():
    same("stale", cause(line(address="0xffffe000")), "STALE")
    same("null", cause(line(address="0x10")), "NULL")
    same("msi", cause(line(address="0xfee00000")), "MSI")
    same("own", cause(line("00:03.0", "0x7b8ff000")), "OWN_REGION")
    same("other", cause(line("00:02.0", "0x7b8ff000")), "OTHERS_RMRR")
    same("beyond", cause(line("00:02.0", "0x7b900000")), "STALE")
    same("firmware", cause(line("00:02.0", "0x4fffffff")), "NO_RMRR")
    same("ACPI", cause(line("00:02.0", "0x41000800")), "NO_RMRR")
    same("RAM", cause(line("00:02.0", "0x3fffffff")), "RAM")
    same("alias", cause(line("00:02.1", reason="0x02")), "ALIAS")
    same("domain", cause(line("00:02.0", reason="0x02")), "NO_DOMAIN")
    same("scalable", cause(line("00:02.0", reason="0x41")), "NO_DOMAIN")
    codes = {0x03: "CONTEXT", 0x04: "WIDTH", 0x07: "TABLES", 0x0c: "TABLES",
             0x0d: "ATS", 0x0e: "TO_MSI", 0x31: "PASID", 0x59: "PASID",
             0x5c: "PRIVILEGE", 0x7c: "SNOOP", 0x71: "STALE",
             0x80: "WIDTH", 0x86: "STALE", 0x0f: "NOT_TOLD",
             0x10: "NOT_TOLD", 0xff: "NOT_TOLD", 0x00: "NOT_TOLD"}
    for code, wanted in codes.items():
        same(f"code {code:x}", cause(line(address="0xffffe000",
                                          reason=f"0x{code:02x}")), wanted)
    for code, wanted in {0x21: "IR_ENTRY", 0x22: "IR_ENTRY",
                         0x23: "IR_TABLES", 0x25: "IR_BLOCKED",
                         0x26: "IR_FOREIGN"}.items():
        same(f"code {code:x}", cause(interrupt("00:02.0", code)), wanted)
    every = fault("", log="\n".join(line(reason=str(c)) for c in range(256)))
    known = [f["reason"]["code"] for f in every["faults"]
             if f["reason"]["known"]]
    same("known codes", known, [
        *range(1, 0xf), *range(0x20, 0x2a), *range(0x30, 0x33),
        *range(0x38, 0x3b), *range(0x40, 0x49), *range(0x50, 0x53),
        *range(0x58, 0x5e), *range(0x70, 0x7d), *range(0x80, 0x88), 0x90])


def check_given():
    """The same address, but the device is a guest's."""
    text = MACHINE.replace("driver e1000", "driver vfio-pci")
    for address in ("0xffffe000", "0x10"):
        got = run("fault", line(address=address), "--json", "--from", "-",
                  text=text)
        same("guest", json.loads(got[1])["faults"][0]["cause"]["id"],
             "GUEST")
    got = run("fault", line(address="0xffffe000"), "--json", "--from", "-",
              "--options", "iommu=pt", text=text.replace("vfio-pci", "e1000"))
    same("identity", json.loads(got[1])["faults"][0]["cause"]["id"],
         "NO_MEMORY")


def check_who():
    one = fault(NEW)["faults"][0]
    same("device", (one["device"], one["asked_by"], one["group"]["devices"]),
         ("0000:00:02.0", ["0000:00:02.0"], ["0000:00:02.0"]))
    one = fault(line("02:00.0"))["faults"][0]
    same("bridge", (one["device"], one["asked_by"], one["nearest"]),
         (None, [], "0000:00:1c.0"))
    one = fault(line("00:02.3"))["faults"][0]
    same("nearest", one["nearest"], "0000:00:02.0")
    one = fault(line("00:1c.0"))["faults"][0]
    same("alias", (one["device"], one["asked_by"]),
         ("0000:00:1c.0", ["0000:00:1c.0", "0000:02:01.0"]))
    one = fault(line("02:01.0"))["faults"][0]
    same("segments", (one["device"], one["several_segments"]),
         ("0000:02:01.0", True))
    one = fault(line("0001:02:01.0"))["faults"][0]
    same("segment", (one["device"], one["several_segments"]),
         ("0001:02:01.0", False))
    want("names", run("fault", NEW, "--from", "-", text=MACHINE), 0,
         "00:02.0  1 fault\n", "  device    0000:00:02.0  ",
         "default domain DMA-FQ: 0000:00:02.0\n", "  tried     write\n",
         "  address   0x12345000\n", "in 'System RAM' 0x1000-0x3fffffff",
         "  reason    0x05: the page is not mapped for writing\n",
         "  cause     ", "  to do     ")
    want("nobody", run("fault", line("00:02.3"), "--from", "-",
                       text=MACHINE), 0, "no device of the machine asks")
    for sid, words in {"f0:1f.0": "the I/O APIC with id 2",
                       "f0:0f.0": "the timer block (HPET) 0"}.items():
        one = fault(interrupt(sid, 0x26))["faults"][0]
        same("chip", one["chip"].split(",")[0], words)
    want("tried", alone("fault", line(reason="0x82")), 0, "execution")
    want("pasid", alone("fault", line(tried="DMA Read PASID 0x12")), 0,
         "read, in PASID 0x12")


def check_linux():
    """Without the table, Linux's own groups are what is known."""
    text = "uiommu-bundle 1\n" + function("0000:00:02.0", 0x1000) + \
        "== group 7\ntype DMA\ndevice 0000:00:02.0\n"
    want("Linux's group", run("fault", NEW, "--from", "-", text=text), 0,
         "  group     7 of Linux, DMA: 0000:00:02.0\n")
    got = run("fault", NEW, "--json", "--from", "-", text=text)
    one = json.loads(got[1])["faults"][0]
    same("number", (one["group"], one["linux_group"]), (None, 7))
    with tempfile.TemporaryDirectory() as root:
        device = os.path.join(root, "sys/bus/pci/devices/0000:00:02.0")
        group = os.path.join(root, "sys/kernel/iommu_groups/7")
        os.makedirs(device)
        os.makedirs(os.path.join(group, "devices/0000:00:02.0"))
        with open(os.path.join(device, "config"), "wb") as file:
            file.write(bytes.fromhex(
                "".join(function("00:02.0", 0x1000).split("\n")[1:])))
        with open(os.path.join(group, "type"), "w") as file:
            file.write("DMA\n")
        want("a user who is not root", run("fault", NEW, "--root", root), 0,
             "  group     7 of Linux, DMA: 0000:00:02.0\n")
        shutil.rmtree(group)
        want("no unit", run("fault", NEW, "--root", root), 0,
             "machine is not known")


def check_where():
    def places(address, device="00:02.0"):
        return " ".join(fault(line(device, address))["faults"][0]["places"])

    for address, words in {
            "0x0": "in the first page", "0xfff": "in the first page",
            "0xfeefffff": "interrupt range",
            "0x7b800000": "0x7b800000-0x7b8fffff (offset 0x50 of the table),"
                          " which is for 0000:00:03.0",
            "0x41000000": "'ACPI Non-volatile Storage' 0x41000000-0x41000fff",
            "0x8000000000": "beyond the 39 bits of address that its unit"
    }.items():
        if words not in places(address):
            same(f"place {address}", places(address), words)
    same("nowhere", places("0x7fffffffff"), "")
    same("own", places("0x7b800000", "00:03.0"),
         "in a region of its group: 0x7b800000-0x7b8fffff direct, from an "
         "RMRR of the table")


def check_garbled():
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(150):
        text = list((NEW + "\n") * dice.randrange(1, 4) +
                    interrupt("f0:1f.7", 34))
        for _ in range(dice.randrange(12)):
            text[dice.randrange(len(text))] = chr(dice.randrange(256))
        got = alone("fault", "-", text="".join(text))
        if not sane(got):
            want(f"garbled {''.join(text)!r}", got, 0)
    want("long line", alone("fault", "-", text="x" * 5000 + NEW), 1)
    want("long kind", alone("fault", "-", text="[" * 900 + NEW), 0)


def main():
    check_lines()
    check_no_lines()
    check_log()
    check_causes()
    check_given()
    check_who()
    check_linux()
    check_where()
    check_garbled()
    return end()


if __name__ == "__main__":
    sys.exit(main())
