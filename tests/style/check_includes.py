#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Includes follow the arrows of the design: check_includes.py

A folder may include its own headers, <uiommu/*.h> and those named in MAY.
"""
import pathlib
import re
import sys

# Folder under src/: what it may include of the other folders there.
MAY = {
    "base": set(),
    "acpi": {"base"},
    "pci": {"base"},
    "pt": {"base"},
    "iova": {"base"},
    "plan": {"base", "acpi", "pci"},
    "core": {"base", "plan", "iova", "pt"},
    "dma": {"base", "core", "iova", "pt"},
    "vtd": {"base", "pt"},
}
# Single headers: the line between core and drivers, which speaks of tables.
HEADER_MAY = {"base/driver.h": {"pt"}}
# Who may see a header of src/base, if not everybody.
HEADER_FOR = {"base/driver.h": {"core", "dma", "vtd"}}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:<([^>]+)>|"([^"]+)")', re.M)
TYPES = "include/uiommu/types.h"  # knows the compiler, or a port's header


def includes(path):
    return [(angle, quoted) for angle, quoted
            in INCLUDE.findall(path.read_text(encoding="utf-8"))]


def c_files(root, folder):
    base = root / folder
    return sorted(p for p in base.rglob("*") if p.suffix in (".c", ".h"))


def check_core(root, path):
    name = str(path.relative_to(root / "src"))
    folder = name.split("/")[0]
    if folder not in MAY:
        yield f"folder src/{folder} is not in the table of arrows"
        return
    for angle, quoted in includes(path):
        if angle:
            if not re.fullmatch(r"uiommu/\w+\.h", angle):
                yield f"<{angle}>: the core includes <uiommu/*.h> only"
        elif (path.parent / quoted).exists() and "/" not in quoted:
            pass
        else:
            target = quoted.split("/")[0]
            if ".." in quoted or not (root / "src" / quoted).exists():
                yield f'"{quoted}": no such header under src/'
            elif target not in {folder} | MAY[folder] | \
                    HEADER_MAY.get(name, set()):
                yield f'"{quoted}": src/{folder} may not include src/{target}'
            elif folder not in HEADER_FOR.get(quoted, {folder}):
                yield f'"{quoted}": is not for src/{folder}'


def check_public(root, path):
    for angle, quoted in includes(path):
        if quoted or not re.fullmatch(r"uiommu/\w+\.h", angle):
            if path != root / TYPES:
                yield f"{angle or quoted}: a public header includes " \
                      "<uiommu/*.h> only"


def check_model(root, path):
    for angle, quoted in includes(path):
        name = angle or quoted
        if quoted and (path.parent / quoted).resolve().is_relative_to(
                (root / "model").resolve()):
            if (path.parent / quoted).exists():
                continue
        if quoted and (root / "model" / quoted).exists():
            continue
        if quoted and quoted.startswith("model/"):
            continue
        if quoted or name.startswith("uiommu/"):
            yield f"{name}: the model includes nothing of src/ or include/"


def check_host(root, path):
    for angle, quoted in includes(path):
        name = angle or quoted
        for folder in MAY:
            if quoted and name.startswith(folder + "/") \
                    and not (path.parent / name).exists() \
                    and (root / "src" / name).exists():
                yield f"{name}: a host uses public headers only"


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    faults, count = 0, 0
    for folder, check in (("src", check_core), ("include", check_public),
                          ("model", check_model), ("host", check_host)):
        for path in c_files(root, folder):
            count += 1
            for fault in check(root, path):
                print(f"{path.relative_to(root)}: {fault}")
                faults += 1
    print(f"{count} files, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
