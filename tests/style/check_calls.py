#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No recursion in the core, and its deepest stack: check_calls.py

Reads the call graph that gcc writes. A call through a pointer is not in it:
the stack that is printed is without what the host's functions and a driver's
operations add.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"]*)"')
EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
BYTES = re.compile(r"(\d+) bytes")


def call_graph():
    frames, calls = {}, {}
    with tempfile.TemporaryDirectory() as out:
        for number, source in enumerate(
                (ROOT / "uiommu.sources").read_text().split()):
            subprocess.run(
                ["gcc", "-std=c11", "-ffreestanding", "-O2", "-fno-inline",
                 "-fno-optimize-sibling-calls", "-fcallgraph-info=su",
                 "-Iinclude", "-Isrc", "-c", source,
                 "-o", f"{out}/{number}.o"], cwd=ROOT, check=True)
        for path in pathlib.Path(out).glob("*.ci"):
            text = path.read_text()
            for name, label in NODE.findall(text):
                size = BYTES.search(label)
                if size:
                    frames[name] = int(size.group(1))
            for caller, callee in EDGE.findall(text):
                calls.setdefault(caller, set()).add(callee)
    return frames, calls


def short(name):
    return re.sub(r"^.*:", "", name)


def deepest(calls, frames):
    """Depth of each function, or the first cycle found."""
    depth, state = {}, {}

    for root in sorted(frames):
        stack = [(root, iter(sorted(calls.get(root, ()))))]
        if root in depth:
            continue
        state[root] = "open"
        while stack:
            name, callees = stack[-1]
            for callee in callees:
                if callee not in frames or callee in depth:
                    continue
                if state.get(callee) == "open":
                    trail = [n for n, _ in stack]
                    return None, trail[trail.index(callee):] + [callee]
                state[callee] = "open"
                stack.append((callee, iter(sorted(calls.get(callee, ())))))
                break
            else:
                below = [depth[c] for c in calls.get(name, ()) if c in depth]
                depth[name] = frames[name] + 8 + max(below, default=0)
                state[name] = "done"
                stack.pop()
    return depth, None


def main():
    frames, calls = call_graph()
    depth, cycle = deepest(calls, frames)
    if cycle:
        print("recursion:", " -> ".join(short(n) for n in cycle))
        return 1
    name = max(depth, key=depth.get)
    print(f"{len(depth)} functions, none recursive; deepest stack "
          f"{depth[name]} bytes from {short(name)}()")
    return 0


if __name__ == "__main__":
    sys.exit(main())
