#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the style asks of a file's text: check_text.py

The SPDX tag, the length of files and functions, comments, stray words, and
that uiommu.sources and the version agree with the tree.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE_LINES = 800
FUNCTION_LINES = 50
# "path" or "path:function": why it may be longer.
LONGER = {}

CODE = {".c", ".h", ".S", ".ld", ".sh", ".py", ".cmake"}
CODE_NAMES = {"meson.build", "meson_options.txt", "Makefile", "Kbuild",
              ".clang-format", ".editorconfig", "run"}
# Brackets keep a pattern from finding itself.
STRAY = {
    r"(?<![\w.])/(?:h[o]me|r[o]ot|w[o]rk|t[m]p/[a-z]|Us[e]rs)/":
        "path of some machine",
    r"\bdeb\.d[e]bian\.org|\br[e]gistry\.\w+\.\w+|\bp[y]pi\.org":
        "host of a package registry",
    r"\b[i]ssue #?\d": "an issue of some tracker",
    r"\bX[X]X\b|\bF[I]XME\b": "unfinished",
    r"\bT[O]DO\b(?! \()": "unfinished, and names nothing to follow it up",
}
# What the code of the library does not use.
UNUSED = {
    r"\b(?:float|double)\b": "floating point",
    r"\bvolatile\b": "volatile is for hosts",
    r"\btypedef\s+(?:struct|enum|union)\b": "a type hidden by a typedef",
}


def tree():
    """Every file of the project, tracked or not yet."""
    try:
        names = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
            check=True, capture_output=True, text=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
                 if not re.match(r"\.git/|build", str(p.relative_to(ROOT)))]
    for name in sorted(set(names)):
        if (ROOT / name).is_file():
            try:
                yield name, (ROOT / name).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                pass  # data


def check_tag(name, lines):
    path = pathlib.PurePath(name)
    if path.suffix not in CODE and path.name not in CODE_NAMES:
        return
    first = lines[1] if lines and lines[0].startswith("#!") else \
        lines[0] if lines else ""
    want = {".c": "// %s", ".h": "/* %s */", ".S": "/* %s */",
            ".ld": "/* %s */"}.get(path.suffix, "# %s")
    if first != want % "SPDX-License-Identifier: MIT":
        yield 1, "does not begin with the SPDX tag"


def functions(lines):
    """(name, first line, lines between its braces), by kernel style."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            head = " ".join(lines[max(0, start - 7):start - 1])
            names = re.findall(r"(\w+)\s*\(", head.split(";")[-1]
                               .split("}")[-1])
            yield names[0] if names else "?", start, number - start - 1
            start = None


def check_length(name, lines):
    if len(lines) >= FILE_LINES and name not in LONGER:
        yield 1, f"{len(lines)} lines; fewer than {FILE_LINES} are wanted"
    if not name.endswith(".c"):
        return
    for function, start, length in functions(lines):
        if length >= FUNCTION_LINES and f"{name}:{function}" not in LONGER:
            yield start, (f"{function}() has {length} lines; fewer than "
                          f"{FUNCTION_LINES} are wanted")


def check_code(name, lines):
    if not name.endswith((".c", ".h")):
        return
    # Blank strings and block comments, keeping the lines.
    blank = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"',
                   lambda m: re.sub(r"[^\n]", " ", m.group()),
                   "\n".join(lines), flags=re.S)
    library = name.startswith(("src/", "include/"))
    for number, line in enumerate(blank.split("\n"), 1):
        if "//" in line and number > 1:
            yield number, "a // comment"
        for pattern, why in UNUSED.items() if library else ():
            if re.search(pattern, line):
                yield number, why


def check_words(name, lines):
    for number, line in enumerate(lines, 1):
        for pattern, why in STRAY.items():
            match = re.search(pattern, line)
            if match:
                yield number, f"'{match.group()}': {why}"


def check_spaces(name, lines):
    for number, line in enumerate(lines, 1):
        if line != line.rstrip() and not name.endswith(".md"):
            yield number, "space at the end of the line"


def check_links(name, lines):
    if not name.endswith(".md"):
        return
    for number, line in enumerate(lines, 1):
        for target in re.findall(r"\]\(([^)#:]+)", line):
            if not (ROOT / name).parent.joinpath(target).exists():
                yield number, f"link to {target}, which does not exist"


def check_sources():
    listed = (ROOT / "uiommu.sources").read_text().split()
    if listed != sorted(listed):
        yield "uiommu.sources", 1, "not sorted"
    for name in listed:
        if not (ROOT / name).is_file():
            yield "uiommu.sources", 1, f"{name} does not exist"
    present = {str(p.relative_to(ROOT)) for p in (ROOT / "src").rglob("*.c")}
    for name in sorted(present - set(listed)):
        yield "uiommu.sources", 1, f"{name} is not listed"


def check_version():
    meson = re.search(r"version : '([\d.]+)'",
                      (ROOT / "meson.build").read_text()).group(1)
    header = (ROOT / "include/uiommu/version.h").read_text()
    parts = dict(re.findall(r"UIOMMU_VERSION_(\w+) \"?([\d.]+)", header))
    numbers = ".".join(parts[p] for p in ("MAJOR", "MINOR", "PATCH"))
    if not meson == parts["STRING"] == numbers:
        yield "include/uiommu/version.h", 1, f"version is not {meson}"


def main():
    faults, count = [], 0
    for name, text in tree():
        count += 1
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        elif name.endswith(tuple(CODE)):
            faults.append((name, len(lines), "no line feed at the end"))
        for check in (check_tag, check_length, check_code, check_words,
                      check_spaces, check_links):
            faults += [(name, *fault) for fault in check(name, lines)]
    faults += list(check_sources()) + list(check_version())
    for name, number, fault in faults:
        print(f"{name}:{number}: {fault}")
    print(f"{count} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
