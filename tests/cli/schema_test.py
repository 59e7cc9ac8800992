#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What --json prints, against the schema: schema_test.py PROGRAM SCHEMA.

Machines are those that Linux was asked about; exit status 77 without the
package that validates.
"""
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: no python3-jsonschema")
    sys.exit(77)

LINUX = pathlib.Path(__file__).resolve().parent.parent / "linux"
sys.path.insert(0, str(LINUX))
import bundle  # noqa: E402

MACHINES = ("rmrr-disk", "external", "bridges-pt", "andd", "caching-mode",
            "iommu-off", "none")
VIEWS = (["groups"], ["regions"], ["units"], ["plan", "--options", "iommu=pt"],
         ["plan", "--options", "iommu.strict=1 iommu=what", "--rules", "linux"],
         ["dmar"])


def run(program, words, text):
    """The document and the exit status."""
    done = subprocess.run([program, *words, "--json", "--from", "-"],
                          input=text, text=True, capture_output=True,
                          check=False)
    try:
        return json.loads(done.stdout), done.returncode
    except ValueError:
        sys.exit(f"{words}: no JSON, status {done.returncode}\n"
                 f"{done.stdout}{done.stderr}")


def requests(document):
    """Wishes for the first and the last group, if there are any."""
    if not document["groups"]:
        return []
    first, last = (document["groups"][i] for i in (0, -1))
    device = last["devices"][-1]
    return [["plan", "--set-type", f"{first['label']}=identity",
             "--set-type", f"{device}=auto", "--set-type", f"{device}=DMA"],
            ["plan", "--rules", "linux", "--mask", f"{device}=24"],
            ["plan", "--options", "iommu=pt", "--claim", first["label"],
             "--mask", f"{device}=0xffffff", "--claim", first["label"]],
            ["explain", device, "--claim", device, "--mask", f"{device}=64"]]


def main():
    """Validate each view of each machine; then see that a lie is noticed."""
    schema = json.loads(pathlib.Path(sys.argv[2]).read_text())
    checker = jsonschema.Draft202012Validator(schema)
    faults, count = [], 0
    for name in MACHINES:
        answer = json.loads((LINUX / "answers" / (name + ".json")).read_text())
        text = bundle.text(answer)
        document, _ = run(sys.argv[1], ["groups"], text)
        views = list(VIEWS) + [["explain", device["device"]]
                               for device in document["devices"]]
        views += requests(document)
        for words in views:
            document, status = run(sys.argv[1], words, text)
            count += 1
            faults += [f"{name} {words}: {'/'.join(map(str, error.path))}: "
                       f"{error.message[:200]}"
                       for error in checker.iter_errors(document)]
            if status not in (0, 1):
                faults.append(f"{name} {words}: status {status}")
            if document["command"] != words[0]:
                faults.append(f"{name} {words}: {document['command']}")
    document["linux"]["agrees"] = "perhaps"
    if not list(checker.iter_errors(document)):
        faults.append("the schema takes anything")
    print("\n".join(faults))
    print(f"{count} documents, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
