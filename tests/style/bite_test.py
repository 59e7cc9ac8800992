#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every gate goes red on what it is there to catch: bite_test.py

Plants one defect at a time in a copy of the tree, runs the gate there, and
wants it to fail and to name the defect.
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TAG = "// SPDX-License-Identifier: MIT\n"
HTAG = "/* SPDX-License-Identifier: MIT */\n"
USE = "#include <uiommu/types.h>\nint uiommu_bad(int x);\n"
COMPILE = ["tests/style/check_compile.sh"]
GCC = COMPILE + ["gcc", "-m64", "-O0"]
CLANG = COMPILE + ["clang", "-m64", "-O2"]
TEXT = ["tests/style/check_text.py"]
ARROWS = ["tests/style/check_includes.py"]


def body(code, head=""):
    return f"{TAG}{USE}{head}int uiommu_bad(int x)\n{{\n{code}}}\n"


# Gate, planted file, its text, what the gate must say.
PLANTS = [
    (GCC, "src/base/bad.c", body("\tunsigned int y = x;\n\treturn (int)y;\n"),
     "sign-conversion"),
    (GCC, "src/base/bad.c", body("\tint y = x;\n\t{ int x = y; y = x; }\n"
                                 "\treturn y;\n"), "shadow"),
    (GCC, "src/base/bad.c", body("\tint v[x];\n\tv[0] = x;\n\treturn v[0];\n"),
     "vla"),
    (GCC, "src/base/bad.c",
     body("\tvolatile char v[900];\n\tv[x] = 1;\n\treturn v[0];\n"),
     "frame-larger-than"),
    (CLANG, "src/base/bad.c",
     body("\tvolatile char v[900];\n\tv[x] = 1;\n\treturn v[0];\n"),
     "frame-larger-than"),
    (GCC, "src/base/bad.c", TAG + "int uiommu_bad(void)\n{\n\treturn 0;\n}\n",
     "missing-prototypes"),
    (GCC, "src/base/bad.c", body("\treturn x;\n", "#if UNKNOWN\n#endif\n"),
     "undef"),
    (GCC, "src/base/bad.c",
     body("\tx++;\n\tint y = x;\n\treturn y;\n"), "mixed declarations"),
    (GCC, "src/base/bad.c",
     body("\treturn x;\n", "int bad_name(void);\n"
          "int bad_name(void)\n{\n\treturn 1;\n}\n"), "defines bad_name"),
    (GCC, "src/base/bad.c",
     body("\treturn printk(x);\n", "int printk(int x);\n"), "needs printk"),
    (GCC, "src/base/bad.c",
     body("\treturn uiommu_host_bad(x);\n", "int uiommu_host_bad(int x);\n"),
     "needs uiommu_host_bad"),
    (GCC, "src/base/bad.c", body("\treturn state += x;\n",
                                 "static int state = 1;\n"), "writable data"),
    (GCC, "src/base/bad.c", body("\treturn state += x;\n",
                                 "static int state;\n"), "writable data"),
    (COMPILE + ["gcc", "-m32", "-O2"], "src/base/bad.c",
     body("\treturn (int)((uint64_t)x / ((uint64_t)x * 3));\n"), "div"),
    (["tests/style/check_calls.py"], "src/base/bad.c",
     body("\treturn x ? helper(x - 1) : 0;\n",
          "static int helper(int x)\n{\n\treturn uiommu_bad(x) + 1;\n}\n"),
     "recursion"),
    (["tests/style/check_headers.sh"], "include/uiommu/bad.h",
     HTAG + "uint32_t uiommu_bad(void);\n", "uiommu/bad.h does not compile"),
    (["tests/style/check_headers.sh"], "include/uiommu/bad.h",
     HTAG + "static inline int *uiommu_bad(void *p)\n{\n\treturn p;\n}\n",
     "g++"),
    (["tests/style/check_headers.sh"], "src/base/bad.h",
     HTAG + "struct bad {\n\tstruct missing m;\n};\n", "base/bad.h does not"),
    (["tests/style/check_format.sh"], "src/base/bad.c",
     TAG + "int  x ;\n", "make format"),
    (ARROWS, "src/acpi/bad.c", TAG + '#include "pt/pt.h"\n',
     "may not include src/pt"),
    (ARROWS, "src/plan/bad.c", TAG + '#include "base/driver.h"\n',
     "is not for src/plan"),
    (ARROWS, "src/pt/bad.c", TAG + '#include "base/format.h"\n'
     '#include "../vtd/x.h"\n', "no such header"),
    (ARROWS, "src/base/bad.c", TAG + "#include <string.h>\n",
     "includes <uiommu/*.h> only"),
    (ARROWS, "model/bad.c", TAG + "#include <uiommu/types.h>\n",
     "model includes nothing"),
    (ARROWS, "host/bare/bad.c", TAG + '#include "base/format.h"\n',
     "public headers only"),
    (TEXT, "src/base/bad.c", "int x;\n", "SPDX"),
    (TEXT, "src/base/bad.c", TAG + "int x; // why\n", "a // comment"),
    (TEXT, "src/base/bad.c", TAG + "\n" * 800, "801 lines"),
    (TEXT, "src/base/bad.c", body("\tx++;\n" * 50), "uiommu_bad() has 50"),
    (TEXT, "docs/bad.md", "see /ho" + "me/me/x\n", "path of some machine"),
    (TEXT, "src/base/bad.c", TAG + "int x; \n", "space at the end"),
    (TEXT, "src/base/bad.c", TAG + "static double x;\n", "floating point"),
    (TEXT, "src/base/bad.c", TAG + "static volatile int x;\n", "volatile is"),
    (TEXT, "src/base/bad.c", TAG + "typedef struct a b;\n", "typedef"),
    (TEXT, "docs/bad.md", "[see](nowhere.md)\n", "nowhere.md, which"),
    (TEXT, "src/base/unlisted.c", TAG, "is not listed"),
]
KERNEL = [
    (["scripts/kbuild-check.sh"], "src/base/bad.c",
     TAG + "#include <stdint.h>\n", "stdint.h"),
    (["scripts/kbuild-check.sh"], "include/uiommu/bad.h",
     HTAG + "struct pci_dev {\n\tint x;\n};\n", "pci_dev"),
    (["scripts/kbuild-check.sh"], "src/base/bad.c",
     body("\treturn printk(x);\n", "int printk(int x);\n"), "printk"),
]


def plant(work, name, text):
    path = work / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if name.startswith("src/") and name.endswith("/bad.c"):
        sources = work / "uiommu.sources"
        sources.write_text(name + "\n" + sources.read_text())


def bites(gate, name, text, want):
    with tempfile.TemporaryDirectory() as top:
        work = pathlib.Path(top) / "tree"
        shutil.copytree(ROOT, work, ignore=shutil.ignore_patterns(
            ".git", "build*", "bench", "docs", "bare"))
        # The rest of the tree may have faults of its own; one gate, one file.
        (work / "uiommu.sources").write_text("src/base/version.c\n")
        plant(work, name, text)
        done = subprocess.run(gate, cwd=work, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        output = done.stdout + done.stderr
        if done.returncode == 77:
            return None
        return done.returncode != 0 and any(w in output
                                            for w in want.split("|"))


def main():
    failed = skipped = 0
    plants = PLANTS + KERNEL
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda plant: bites(*plant), plants))
    for (gate, _, _, want), result in zip(plants, results):
        words = {True: "ok", False: "not ok", None: "skipped"}[result]
        print(f"{words} - {' '.join(gate)}: {want}")
        failed += result is False
        skipped += result is None
    print(f"{len(plants)} plants, {failed} not caught, "
          f"{skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
