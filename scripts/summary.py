#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count meson's results: summary.py TESTLOG STATUS.

The last line is `N passed, N failed`, with `, N skipped` where some were.
The exit status is STATUS, or 1 if nothing ran or the counts contradict it.
"""
import json
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP"}


def main(path, status):
    passed, failed, skipped = 0, [], []
    try:
        with open(path, encoding="utf-8") as log:
            results = [json.loads(line) for line in log]
    except FileNotFoundError:
        results = []
    for result in results:
        if result["result"] in PASSED:
            passed += 1
        elif result["result"] in SKIPPED:
            skipped.append(result["name"])
        else:
            failed.append(result["name"])
    print()
    for name in skipped:
        print("skipped:", name)
    for name in failed:
        print("FAILED:", name)
    line = f"{passed} passed, {len(failed)} failed"
    print(line + (f", {len(skipped)} skipped" if skipped else ""))
    if status == 0 and (failed or not passed):
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
