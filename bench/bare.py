#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measure the DMA API in the reference kernel: bare.py BUILDDIR

Boots it with the time stamp counter counting guest instructions, prints a table
and writes BUILDDIR/bench-bare.json. Linux's figures are those of Debian's 6.1
on the same machine, measured the same way.
"""
import json
import pathlib
import subprocess
import sys

PREFIX = "bench: "
ROOT = pathlib.Path(__file__).resolve().parent.parent
# name: mean, or mean and 99th percentile
LINUX = {
    "map 4K": (1034,),
    "unmap 4K": (1756,),
    "map 64K": (1344,),
    "unmap 64K": (2097,),
    "map 1M": (6573,),
    "unmap 1M": (7761,),
    "map list of 32 x 4K": (17581,),
    "unmap list of 32 x 4K": (2365,),
    "map coherent 4K": (7986,),
    "unmap coherent 4K": (3086,),
    "map with 100k live": (25467, 583401),
}


def measure(build):
    run = subprocess.run([ROOT / "scripts/run-bare.sh", build, "bench"],
                         stdout=subprocess.PIPE, text=True, check=False)
    lines = [line.strip() for line in run.stdout.splitlines()]
    figures = [json.loads(line[len(PREFIX):]) for line in lines
               if line.startswith(PREFIX)]
    if run.returncode or not figures:
        sys.stderr.write(run.stdout)
        sys.exit("bench: the reference kernel failed")
    for figure in figures:
        linux = LINUX.get(figure["name"])
        if linux:
            figure["linux_6_1_mean"] = linux[0]
        if linux and len(linux) > 1:
            figure["linux_6_1_p99"] = linux[1]
    return figures


def show(figures):
    row = "{:<24}{:>9}{:>9}{:>9}{:>12}{:>11}"
    print(row.format("guest instructions", "mean", "median", "p99",
                     "Linux mean", "Linux p99"))
    for figure in figures:
        print(row.format(figure["name"], figure["mean"],
                         figure.get("median", ""), figure.get("p99", ""),
                         figure.get("linux_6_1_mean", ""),
                         figure.get("linux_6_1_p99", "")))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    figures = measure(sys.argv[1])
    show(figures)
    out = pathlib.Path(sys.argv[1]) / "bench-bare.json"
    out.write_text(json.dumps(figures, indent=1) + "\n")


main()
