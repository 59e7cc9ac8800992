#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every test program runs under sanitizers: check_sanitized.py BUILDDIR

Address and undefined behaviour, or threads: they exclude each other.
"""
import json
import pathlib
import subprocess
import sys


def programs(build):
    tests = json.loads(subprocess.run(
        ["meson", "introspect", build, "--tests"], check=True,
        capture_output=True, text=True).stdout)
    for test in tests:
        for word in test["cmd"]:
            path = pathlib.Path(word)
            if path.is_file() and path.read_bytes()[:4] == b"\x7fELF":
                # The reference kernel is a program, but not of user space.
                if "host/bare" not in word:
                    yield test["name"], path


def main(build):
    count, bare = 0, []
    for name, path in programs(build):
        symbols = subprocess.run(["nm", path], check=True, text=True,
                                 capture_output=True).stdout
        count += 1
        if "__tsan_init" not in symbols and not (
                "__asan_init" in symbols and "__ubsan_handle" in symbols):
            bare.append(f"{name}: {path.name} has no sanitizers")
    print("\n".join(bare + [f"{count} programs, {len(bare)} without"]))
    return 1 if bare or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
