#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One JSON object of many files: merge-json.py OUT IN..., keyed by name."""
import json
import pathlib
import sys

out, *parts = map(pathlib.Path, sys.argv[1:])
merged = {part.stem: json.loads(part.read_text()) for part in parts
          if part.exists()}
out.write_text(json.dumps(merged, indent=1) + "\n")
print(f"written: {out}")
