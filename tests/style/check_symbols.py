#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names the library defines and needs: check_symbols.py HOST_H OBJECT...

It defines only uiommu_*, keeps no writable data, and needs only what host.h
declares, what it defines itself and the four functions of types.h. A helper
of the compiler's own library (a 64-bit division on a 32-bit machine) is not
among them: a kernel may not have it.
"""
import re
import subprocess
import sys

LIBC = {"memcpy", "memmove", "memset", "memcmp"}
# What gcc names in position-independent code; no function.
LINKER = {"_GLOBAL_OFFSET_TABLE_"}
# Constant after relocation, so no state.
RELRO = re.compile(r"^\.data\.rel\.ro")
STATE = re.compile(r"^\.(data|bss|tdata|tbss|init_array|fini_array)\b")


def host_functions(header):
    with open(header, encoding="utf-8") as text:
        code = re.sub(r"/\*.*?\*/", "", text.read(), flags=re.S)
    return set(re.findall(r"\b(uiommu_host_\w+)\s*\(", code))


def run(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


def main(header, objects):
    host = host_functions(header)
    defined, needed, faults = set(), set(), []
    for line in run("nm", "-gP", *objects).splitlines():
        fields = line.split()
        if len(fields) < 2 or fields[0].endswith(":"):
            continue
        (needed if fields[1] in "Uw" else defined).add(fields[0])
    for name in sorted(defined):
        if not name.startswith("uiommu_"):
            faults.append(f"defines {name}: not uiommu_*")
        if name.startswith("uiommu_host_"):
            faults.append(f"defines {name}: that is the port's to define")
    for name in sorted(needed - defined - LIBC - LINKER - host):
        faults.append(f"needs {name}: neither its own nor in host.h")
    for line in run("objdump", "-h", *objects).splitlines():
        fields = line.split()
        if len(fields) >= 7 and fields[0].isdigit() and int(fields[2], 16):
            if STATE.match(fields[1]) and not RELRO.match(fields[1]):
                faults.append(f"writable data: section {fields[1]}")
    for fault in faults:
        print(fault)
    print(f"{len(defined)} symbols defined, {len(host & needed)} of "
          f"{len(host)} host functions needed, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
