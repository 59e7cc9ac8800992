#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The reader against two others: compare_iasl.py DUMP FOLDER

Reads every table in FOLDER with DUMP (dmar_dump.c), with `iasl -d`, and with a
few lines of Python that were written from the specification alone, and
compares all fields of all records. iasl of 2020 knows types 0 to 4 and stops
at the first other one; what follows is compared with the lines here only.
"""
import itertools
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

SKIP = 77
DRHD, RMRR, ATSR, RHSA, ANDD, SATC, SIDP = range(7)
IASL_KNOWS = {DRHD, RMRR, ATSR, RHSA, ANDD}
SCOPES_AT = {DRHD: 16, RMRR: 24, ATSR: 8, SATC: 8, SIDP: 8}
# Of real tables, so many may have something odd about them: firmware is not
# that bad, and a reader that finds more is wrong.
ODD_SHARE = 0.10


# Every reader yields {header fields, "records": [{fields, "scopes": []}]}.

def text_of(raw):
    raw = raw.split(b"\0")[0]
    return "".join(chr(c) if 32 <= c < 127 else "?" for c in raw)


def pages(record):
    """A region as it is used: in whole pages, if it is one at all."""
    if record["type"] == RMRR and record["last"] > record["first"]:
        record["first"] &= ~0xfff
        record["last"] |= 0xfff
    return record


def decode_scope(data, at):
    kind, length, flags, _, ident, bus = struct.unpack_from("6B", data, at)
    path = [tuple(data[p:p + 2]) for p in range(at + 6, at + length, 2)]
    return {"offset": at, "type": kind, "id": ident, "bus": bus,
            "path": path, "flags": flags}, at + length


def decode_record(data, at):
    kind, length = struct.unpack_from("<HH", data, at)
    record = {"offset": at, "type": kind, "length": length, "scopes": []}
    if kind == DRHD:
        flags, size, segment, base = struct.unpack_from("<BBHQ", data, at + 4)
        record.update(flags=flags, segment=segment, first=base,
                      last=base + (4096 << size) - 1)
    elif kind == RMRR:
        _, segment, first, last = struct.unpack_from("<HHQQ", data, at + 4)
        record.update(segment=segment, first=first, last=last)
    elif kind in (ATSR, SATC):
        flags, _, segment = struct.unpack_from("<BBH", data, at + 4)
        record.update(flags=flags, segment=segment)
    elif kind == SIDP:
        record.update(segment=struct.unpack_from("<H", data, at + 6)[0])
    elif kind == RHSA:
        base, domain = struct.unpack_from("<QI", data, at + 8)
        record.update(base=base, domain=domain)
    elif kind == ANDD:
        name = data[at + 8:at + length]
        record.update(number=data[at + 7], name=text_of(name))
    at_scope = at + SCOPES_AT.get(kind, length)
    while at_scope < at + length:
        scope, at_scope = decode_scope(data, at_scope)
        record["scopes"].append(scope)
    return pages(record)


def decode(data):
    table = {"size": len(data), "revision": data[8], "width": data[36] + 1,
             "flags": data[37], "oem": text_of(data[10:16]),
             "oem_table": text_of(data[16:24]), "records": []}
    at = 48
    while at < len(data):
        table["records"].append(decode_record(data, at))
        at += table["records"][-1]["length"]
    return table


FIELD = re.compile(r"^\[(\w+)h \d+ +\w+\] +([^:]+?) : (.*)$")
# iasl's name of a field: ours, in the table, a record or a scope.
IASL_TABLE = {"Table Length": "size", "Revision": "revision",
              "Host Address Width": "width", "Flags": "flags"}
IASL_RECORD = {"Length": "length", "Flags": "flags",
               "PCI Segment Number": "segment",
               "Register Base Address": "first", "Base Address": "first",
               "End Address (limit)": "last", "Proximity Domain": "domain",
               "Device Number": "number"}
IASL_SCOPE = {"Enumeration ID": "id", "PCI Bus Number": "bus"}


def iasl_field(thing, names, name, value):
    if name in names:
        thing[names[name]] = int(value.split()[0], 16)


def iasl_parse(text):
    table = {"records": []}
    record = scope = None
    for line in text.splitlines():
        match = FIELD.match(line)
        if not match:
            continue
        at, name, value = int(match[1], 16), match[2], match[3]
        if name == "Oem ID":
            table["oem"] = value.split('"')[1]
        elif name == "Oem Table ID":
            table["oem_table"] = value.split('"')[1]
        elif name == "Subtable Type":
            if int(value[:4], 16) not in IASL_KNOWS:
                break
            record = {"offset": at, "type": int(value[:4], 16), "scopes": []}
            scope = None
            table["records"].append(record)
        elif name == "Device Scope Type":
            scope = {"offset": at, "type": int(value[:2], 16), "path": []}
            record["scopes"].append(scope)
        elif name == "PCI Path":
            scope["path"].append(tuple(int(n, 16) for n in value.split(",")))
        elif name == "Device Name":
            record["name"] = value.split('"')[1].replace("\\\\", "\\")
        elif scope is not None:
            iasl_field(scope, IASL_SCOPE, name, value)
        elif record is not None:
            iasl_field(record, IASL_RECORD, name, value)
        else:
            iasl_field(table, IASL_TABLE, name, value)
    table["width"] += 1
    for record in table["records"]:
        pages(record)
        if record["type"] == RHSA:
            record["base"] = record.pop("first")
    return table


def iasl_read(iasl, path, folder):
    copy = pathlib.Path(folder) / (path.name.split(".")[0] + ".dat")
    shutil.copy(path, copy)
    subprocess.run([iasl, "-d", copy.name], cwd=folder, check=True,
                   capture_output=True)
    return iasl_parse(copy.with_suffix(".dsl").read_text(errors="replace"))


def dump_fields(line):
    fields = dict(f.split("=", 1) for f in line.split()[1:] if "=" in f)
    for name, value in fields.items():
        if name == "path":
            fields[name] = [tuple(int(n, 16) for n in hop.split("."))
                            for hop in value.split(",")]
        elif name == "err":
            fields[name] = int(value)
        elif name != "name":
            fields[name] = int(value, 16)
    return fields


def dump_parse(text):
    """{file name: table} of what dmar_dump printed."""
    tables, table = {}, None
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "file":
            table = tables[rest.partition("=")[2]] = {"records": [],
                                                      "findings": []}
        elif word == "table":
            table.update(dump_fields(line))
        elif word in ("oem", "oem_table"):
            table[word] = rest.partition("=")[2]
        elif word == "record":
            table["records"].append(dump_fields(line) | {"scopes": []})
        elif word == "scope":
            table["records"][-1]["scopes"].append(dump_fields(line))
        elif word == "finding":
            table["findings"].append(rest.removeprefix("severity="))
    return tables


def differences(ours, theirs, where):
    """Fields of @theirs that @ours has not, or has otherwise."""
    for name, value in theirs.items():
        if name in ("records", "scopes"):
            continue
        if ours.get(name) != value:
            yield f"{where}: {name} is {value!r}, ours {ours.get(name)!r}"
    for inner in ("records", "scopes"):
        for mine, other in zip(ours.get(inner, []), theirs.get(inner, [])):
            yield from differences(
                mine, other, f"{where}: {inner[:-1]} at {other['offset']:#x}")
        if inner == "scopes" and \
                len(ours.get(inner, [])) != len(theirs.get(inner, [])):
            yield f"{where}: number of {inner}"


def compare(ours, data, iasl):
    python = decode(data)
    if ours["err"]:
        yield "we refuse it"
    if len(ours["records"]) != len(python["records"]):
        yield "number of records"
    yield from differences(ours, python, "python")
    known = list(itertools.takewhile(lambda r: r["type"] in IASL_KNOWS,
                                     python["records"]))
    if len(iasl["records"]) != len(known):
        yield f"iasl: {len(iasl['records'])} records, not {len(known)}"
    for name in ("oem", "oem_table"):  # where we write '?', it leaves a space
        if ours[name].replace("?", " ") == iasl[name]:
            del iasl[name]
    # It knows no register size; ours is in "last", compared above.
    yield from differences(ours, iasl, "iasl")


def main():
    dump, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    iasl = shutil.which("iasl")
    paths = sorted(folder.glob("*.dat")) if folder.is_dir() else []
    if not paths:
        print(f"SKIP: no tables of real machines at {folder}")
        return SKIP
    if not iasl:
        print("SKIP: no iasl (Debian package acpica-tools)")
        return SKIP

    ours = dump_parse(subprocess.run(
        [dump, *map(str, paths)], check=True, capture_output=True,
        text=True).stdout)
    failed = records = scopes = odd = 0
    with tempfile.TemporaryDirectory() as scratch:
        for path in paths:
            table = ours[str(path)]
            wrong = list(compare(table, path.read_bytes(),
                                 iasl_read(iasl, path, scratch)))
            for line in wrong:
                print(f"{path.name}: {line}")
            for finding in table["findings"]:
                print(f"{path.name}: {finding}")
            failed += bool(wrong)
            odd += bool(table["findings"])
            records += len(table["records"])
            scopes += sum(len(r["scopes"]) for r in table["records"])
    print(f"{len(paths)} tables, {records} records, {scopes} scopes: "
          f"{failed} tables differ, {odd} are odd")
    return failed != 0 or odd > max(1, ODD_SHARE * len(paths))


if __name__ == "__main__":
    sys.exit(main())
