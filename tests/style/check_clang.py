#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clang has no warning in any file of the build: check_clang.py BUILDDIR

Takes the build's own commands, with the compiler exchanged.
"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

# Options of gcc that clang neither knows nor needs for a syntax check.
DROP = ("-fanalyzer", "-fno-stack-clash-protection", "-fcf-protection")


def command(entry):
    words = shlex.split(entry["command"])[1:]
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MQ", "-MT"):
            skip = True
        elif word not in ("-MD", "-MMD", "-c") and not word.startswith(DROP):
            kept.append(word)
    return ["clang", "-Qunused-arguments", "-Wno-unknown-warning-option",
            "-Wall", "-Wextra", "-Werror", "-fsyntax-only"] + kept


def check(entry):
    done = subprocess.run(command(entry), cwd=entry["directory"],
                          capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def main(build):
    if not shutil.which("clang"):
        print("skipped: no clang")
        return 77
    database = pathlib.Path(build) / "compile_commands.json"
    unique = {}
    for entry in json.loads(database.read_text()):
        if entry["file"].endswith(".c"):
            unique.setdefault(tuple(command(entry)), entry)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for status, text in pool.map(check, unique.values()):
            failed += status != 0
            print(text, end="")
    print(f"{len(unique)} compilations, {failed} with warnings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
