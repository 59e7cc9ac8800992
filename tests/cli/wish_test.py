#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--set-type, --claim and --mask, on machines that Linux was asked about, on a
bundle by hand and on the built-in one: wish_test.py PROGRAM"""
import json
import pathlib
import sys
import tempfile

import fake_root
import lspci_text
from bundles import bridge, dmar, drhd, end, function, machine, rmrr, run, \
    scope, want

LINUX = pathlib.Path(__file__).resolve().parent.parent / "linux"
sys.path.insert(0, str(LINUX))
import bundle  # noqa: E402

RAM = "== memory\n0x0 0x17fffffff System RAM\n"


def answer(name):
    text = (LINUX / "answers" / (name + ".json")).read_text()
    return bundle.text(json.loads(text))


def plan(text, *words):
    return run("plan", "--from", "-", "--color", "never", *words, text=text)


def flat(got):
    """Without the breaks of lines."""
    return got[0], " ".join(got[1].split()), got[2]


def document(text, *words):
    """What came of each request."""
    return json.loads(plan(text, "--json", *words)[1])["requests"]


def check(what, good, say=""):
    if not good:
        want(what, (1, str(say), ""), 0)


def by_hand():
    """Two alone, and a bridge with two behind it."""
    return machine(
        dmar(drhd(0xfed90000, 1),
             rmrr(0x1000, 0x2fff, scope(1, 0, 0, (3, 0)))),
        function("0000:00:02.0", 0x1000),
        "== function 0000:00:02.0\ndriver e1000e\n",
        function("0000:00:03.0", 0x1001, 0x0107),
        bridge("0000:00:04.0", 0x1002, 1),
        "== function 0000:00:04.0\ndriver shpchp\n",
        function("0000:01:01.0", 0x1003),
        function("0000:01:02.0", 0x1004),
        "== function 0000:01:02.0\ndriver snd\n", RAM)


def outcomes():
    text = by_hand()
    for words, status, outcome, before, after in (
            (["--set-type", "0=identity"], 0, "move", "DMA-FQ", "identity"),
            (["--set-type", "00:02.0=DMA"], 0, "live", "DMA-FQ", "DMA"),
            (["--set-type", "group 0=Dma-Fq"], 0, "nothing", "DMA-FQ",
             "DMA-FQ"),
            (["--set-type", "2=auto"], 0, "nothing", "DMA-FQ", "DMA-FQ"),
            (["--claim", "0"], 0, "claim", "DMA-FQ", "blocked"),
            (["--claim", "00:03.0"], 1, "refused", "DMA-FQ", "DMA-FQ"),
            (["--mask", "00:02.0=32"], 0, "bound", "DMA-FQ", "DMA-FQ"),
            (["--options", "iommu=pt", "--mask", "00:02.0=33"], 0, "nothing",
             "identity", "identity"),
            (["--options", "iommu=pt", "--mask", "00:02.0=0xffffffff"], 0,
             "move", "identity", "DMA-FQ"),
            (["--rules", "linux", "--options", "iommu=pt", "--mask",
              "00:02.0=32"], 0, "bounce", "identity", "identity")):
        got = plan(text, *words)
        want(words, got, status, "\nAsked: ", "\n  outcome  ",
             f"\n  before   {before}\n", "\n  after    ")
        one = document(text, *words)[0]
        check(words, (one["outcome"], one["before"], one["after"]) ==
              (outcome, before, after), one)


def words_of_them():
    text = by_hand()
    want("who must be idle", flat(plan(text, "--set-type", "2=identity")), 0,
         "all 3 members move at once", "idle: 0000:01:02.0 (snd) group",
         "2: 0000:00:04.0 and 2 more")
    want("why no user", flat(plan(text, "--claim", "00:03.0")), 1,
         "REGION_NOT_USER", "DMAR record 1 at 0x40", "keeps 0x1000-0x2fff",
         "platform RMRR", "1:1")
    want("low pages", flat(plan(text, "--set-type", "0=identity", "--mask",
                                "00:02.0=32")), 0, "0xffffffff is copied",
         "TYPE_MASK", "swiotlb")
    untrusted = answer("external")
    want("from outside",
         flat(plan(untrusted, "--set-type", "01:00.0=identity")), 1,
         "TYPE_UNTRUSTED", "echo identity > /sys/kernel/iommu_groups/",
         "Invalid argument")
    want("caching mode", plan(answer("caching-mode"), "--set-type",
                              "0=dma-fq"), 1, "TYPE_NOT_LAZY")
    want("by itself", flat(plan(text, "--set-type", "0=identity",
                                "--set-type", "0=auto")), 0, "gets DMA-FQ, as the build chooses")
    without = text.replace(RAM, "")
    want("no RAM known", plan(without, "--options", "iommu=pt", "--mask",
                              "00:02.0=32"), 0, "RAM ends is not known")


def one_after_the_other():
    """As a live machine would answer; what is refused changes nothing."""
    got = document(by_hand(), "--set-type", "0=identity", "--mask",
                   "00:02.0=30", "--claim", "00:02.0", "--claim", "0",
                   "--set-type", "0=dma", "--set-type", "1=dma", "--set-type",
                   "00:03.0=dma-fq", "--claim", "1", "--set-type", "1=dma-fq")
    check("a chain", [r["outcome"] for r in got] ==
          ["move", "bounce", "claim", "refused", "refused", "live", "live",
           "refused", "nothing"], [r["outcome"] for r in got])
    check("before", [r["before"] for r in got] ==
          ["DMA-FQ"] + ["identity"] * 4 + ["DMA-FQ", "DMA", "DMA-FQ",
                                           "DMA-FQ"],
          [r["before"] for r in got])
    check("who refuses", got[3]["why"]["rule"] == "TYPE_OWNED", got[3])
    got = document(answer("caching-mode"), "--options", "iommu=pt",
                   "--set-type", "0=dma-fq", "--set-type", "0=auto")
    check("refused is nothing", [(r["outcome"], r["before"]) for r in got] ==
          [("refused", "identity"), ("nothing", "identity")], got)


def in_order():
    """As the command line has them."""
    got = document(by_hand(), "--set-type", "0=identity", "--mask",
                   "00:02.0=30", "--claim", "00:02.0", "--claim", "0")
    check("in order", [r["request"] for r in got[:4]] ==
          ["set-type", "mask", "claim", "claim"], got)


def explained():
    text = by_hand()
    got = run("explain", "00:02.0", "--from", "-", "--color", "never",
              text=text)
    want("the usual", got, 0, "What each of these would do while it runs",
         "\ngroup 0 to be identity ", "moves", "e1000e",
         "\n0000:00:02.0 to reach 32 bits ", "bounded")
    got = run("explain", "00:03.0", "--from", "-", "--set-type",
              "00:03.0=identity", "--claim", "00:03.0", text=text)
    want("asked", got, 0, "What was asked, one after the other",
         "refused; nothing changes")
    lines = run("explain", "2", "--from", "-", "--json", text=text)
    asked = json.loads(lines[1])["requests"]
    check("each alone", [r["before"] for r in asked] == ["DMA-FQ"] * 4, asked)
    off = json.loads(run("explain", "00:02.0", "--json", "--options",
                         "intel_iommu=off", "--from", "-", text=text)[1])
    check("nothing to ask", off["requests"] == [], off["requests"])
    want("built in", run("demo", "plan", "--claim", "\\_SB.PCI0.I2C0"), 0,
         "blocked at once")
    want("ACPI alone", run("demo", "plan", "--set-type",
                           "\\_SB.PCI0.I2C0=identity"), 0, "moves")


def sources():
    """The same from a bundle, from lspci with a table, from /sys."""
    recorded = json.loads((LINUX / "answers/rmrr-disk.json").read_text())
    asked = ["--set-type", "01:00.0=dma", "--claim", "00:03.0", "--claim",
             "00:04.0"]
    want_all = [(r["outcome"], r.get("why", {}).get("rule"))
                for r in document(bundle.text(recorded), *asked)]
    check("a bundle", [o for o, _ in want_all] ==
          ["live", "refused", "claim"], want_all)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "lspci").write_text(lspci_text.text(recorded))
        (path / "DMAR").write_bytes(bytes.fromhex(recorded["dmar"]))
        fake_root.build(path / "root", recorded)
        for source in (["--lspci", str(path / "lspci"), "--dmar",
                        str(path / "DMAR")],
                       ["--root", str(path / "root")]):
            got = run("plan", "--json", *source, *asked)
            good = got[1] and [(r["outcome"], r.get("why", {}).get("rule"))
                               for r in json.loads(got[1])["requests"]]
            check(source[0], good == want_all, got)


def misused():
    text = by_hand()
    for words, say in (
            (["--set-type", "0"], "--set-type is GROUP=TYPE with a TYPE of "
             "identity, dma, dma-fq or auto, not '0'"),
            (["--set-type", "0=blocked"], "not '0=blocked'"),
            (["--set-type", "0="], "not '0='"),
            (["--set-type", "=dma"], "no device and no group ''"),
            (["--set-type", "9=dma"], "no device and no group '9'"),
            (["--claim", "00:09.0"], "no device and no group '00:09.0'"),
            (["--mask", "0=32"], "no device '0'; uiommu groups lists them"),
            (["--mask", "00:02.0"], "--mask is DEVICE=BITS with 12 to 64"),
            (["--mask", "00:02.0=11"], "not '00:02.0=11'"),
            (["--mask", "00:02.0=65"], "not '00:02.0=65'"),
            (["--mask", "00:02.0=0xfffff000"], "not '00:02.0=0xfffff000'"),
            (["--mask", "00:02.0=32x"], "not '00:02.0=32x'"),
            (["--claim", "0"] * 65, "no more than 64"),
            (["--options", "intel_iommu=off", "--claim", "00:02.0"],
             "--claim: nothing confines the DMA of 00:02.0")):
        want(words[:2], plan(text, *words), 2, say)
        check(words[:2], plan(text, *words)[1] == "")
    want("64 are fine", plan(text, *(["--mask", "00:02.0=64"] * 64)), 0)
    want("not there", run("groups", "--from", "-", "--claim", "0", text=text),
         2, "does not go with groups")


def main():
    outcomes()
    words_of_them()
    one_after_the_other()
    in_order()
    explained()
    sources()
    misused()
    return end()


if __name__ == "__main__":
    sys.exit(main())
