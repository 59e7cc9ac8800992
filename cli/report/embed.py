#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns files into C strings: embed.py OUT.c FILE...

page.css becomes report_page_css: no linker tricks, no files to find at run
time. Comments at the head of a file stay out of the page.
"""
import pathlib
import re
import sys


def strings(text):
    """C string literals, one a line, as compilers like them."""
    for line in text.splitlines(keepends=True):
        line = line.replace("\\", "\\\\").replace('"', '\\"')
        yield '\t"' + line.replace("\n", "\\n").replace("?", "\\?") + '"'


def main(out, names):
    parts = ["/* Made by embed.py; do not edit. */", '#include "report.h"']
    for name in names:
        path = pathlib.Path(name)
        text = path.read_text(encoding="ascii")
        text = re.sub(r"\A/\*.*?\*/\n+", "", text, flags=re.S)
        text = re.sub(r"\A<!--.*?-->\n+", "", text, flags=re.S)
        if "</script" in text.lower() and path.suffix != ".html":
            sys.exit(f"{name}: ends the script that it will be in")
        parts.append(f"const char report_{path.stem}_{path.suffix[1:]}[] =\n"
                     + "\n".join(strings(text)) + ";")
    pathlib.Path(out).write_text("\n".join(parts) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
