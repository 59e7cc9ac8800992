#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The built-in machine, under every command: demo_test.py PROGRAM"""
import json
import subprocess
import sys

FAULTS = []
# What the machine was built to show: who shares, by the strict rules ...
STRICT = [
    ["00:01.0", "00:01.1", "01:00.0", "01:00.1", "02:00.0"],
    ["00:1f.0", "00:1f.2", "00:1f.3"],
    ["06:08.0", "06:09.0", "06:0a.0", "07:00.0", "08:00.0", "09:00.0"],
    ["0a:00.0", "0b:00.0", "0b:01.0"],
]
# ... and by Linux's, which look one way only.
LINUX = [
    ["00:01.0", "00:01.1", "01:00.0", "01:00.1", "02:00.0"],
    ["00:1f.0", "00:1f.2", "00:1f.3"],
    ["06:09.0", "08:00.0"],
    ["0a:00.0", "0b:00.0", "0b:01.0"],
]
UNITS = {"0000:00:02.0": "dmar0", "0000:08:00.0": "dmar1",
         "0000:04:10.2": "dmar2", "\\_SB.PCI0.I2C0": "dmar2"}
STORY = ["start: 3 units translate", "03:00.1 reads its 8 KiB",
         "08:00.0 writes to that address: stopped",
         "Request device [08:00.0] fault addr",
         "03:00.1 reads through what was its mapping: stopped",
         "while all is confined", "after stop",
         "every page, lock and window came back"]


def check(what, good, say=""):
    if not good:
        FAULTS.append(what)
        print(f"NOT OK {what}: {say}")


def run(*words, status=0):
    done = subprocess.run([sys.argv[1], "demo", *words], text=True,
                          capture_output=True, check=False)
    check(" ".join(("demo",) + words), done.returncode == status,
          f"status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def groups(*words):
    data = json.loads(run("groups", "--json", *words))
    shared = [g["devices"] for g in data["groups"] if len(g["devices"]) > 1]
    return data, [[d.removeprefix("0000:") for d in g] for g in shared]


def rules(device, *words):
    data = json.loads(run("explain", device, "--json", *words))
    return {r["rule"]: r for d in data["devices"] if d["device"] == device
            for r in d["reasons"]}


def machine():
    data, shared = groups()
    check("who shares", shared == STRICT, shared)
    check("who shares in Linux", groups("--rules", "linux")[1] == LINUX,
          groups("--rules", "linux")[1])
    check("a good table", not data["dmar_findings"], data["dmar_findings"])
    check("three units", [u["include_all"] for u in data["units"]] ==
          [False, False, True])
    check("pass-through", [u["passthrough"] for u in data["units"]] ==
          [False, True, True])
    for device in data["devices"]:
        want = UNITS.get(device["device"], device["unit"])
        check(device["device"], device["unit"] == want, device["unit"])
    kept = [g["devices"] for g in data["groups"] if not g["assignable"]]
    check("one is not for users", kept == [["0000:0c:00.0"]], kept)
    relaxed = [g["devices"][0] for g in data["groups"] if any(
        r["type"] == "direct-relaxable" for r in g["regions"])]
    check("relaxable", relaxed == [
        "0000:00:01.0", "0000:00:02.0", "0000:00:14.0", "0000:00:1f.0"],
        relaxed)


def reasons():
    check("a port without", rules("0000:01:00.0")["GROUP_NO_ACS"]["missing"]
          == ["SV", "RR", "CR", "UF"])
    for device, rule in [
            ("0000:03:00.1", "GROUP_CLAIM"), ("0000:0b:01.0", "GROUP_BRIDGE"),
            ("0000:04:10.0", "UNIT_PHYSICAL"),
            ("0000:00:1f.2", "GROUP_MULTIFUNCTION"),
            ("0000:09:00.0", "GROUP_REACH"),
            ("0000:0c:00.0", "REGION_NOT_USER"),
            ("\\_SB.PCI0.I2C0", "UNIT_NAMESPACE")]:
        check(f"{device} {rule}", rule in rules(device), rules(device).keys())


def main():
    machine()
    reasons()
    said = run()
    for words in STORY:
        check(words, words in " ".join(said.split()), said)
    check("no step failed", "\n  NO  " not in said, said)
    check("demo --json is groups", json.loads(run("--json"))["groups"] ==
          json.loads(run("groups", "--json"))["groups"])
    for words in [("groups",), ("explain", "0"), ("regions",), ("units",),
                  ("plan", "--options", "iommu=pt"),
                  ("report", "-o", "-")]:
        run(*words)
        if words[0] != "report":
            json.loads(run(*words, "--json"))
    run("--options", "intel_iommu=off", status=1)
    run("explain", "0000:77:00.0", status=2)
    run("explain", status=2)
    run("demo", status=2)
    run("nonsense", status=2)
    run("groups", "--from", "-", status=2)
    print(f"{len(FAULTS)} faults")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
