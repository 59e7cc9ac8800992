#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page of uiommu report: report_test.py PROGRAM

With chromium (setup.sh report) the page is also drawn, and looked into.
"""
import html.parser
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

FAULTS = []
EVIL = "</script><script>alert(1)</script>\"'&<!--<b>"
VOID = {"meta", "br", "link", "img", "input"}
TAGS = {"html", "head", "meta", "title", "style", "body", "header", "h1", "h2",
        "h3", "p", "code", "ul", "li", "b", "main", "section", "div", "table",
        "thead", "tbody", "tr", "th", "td", "span", "a", "article", "dl", "dt",
        "dd", "aside", "noscript", "script"}


def check(what, good, say=""):
    if not good:
        FAULTS.append(what)
        print(f"NOT OK {what}: {say}")


def run(*words, status=(0, 1)):
    done = subprocess.run([sys.argv[1], *words], capture_output=True,
                          check=False)
    check(" ".join(words), done.returncode in status,
          f"status {done.returncode} {done.stderr.decode()[:300]}")
    return done.stdout.decode()


class Page(html.parser.HTMLParser):
    """Elements, attributes, and what is between the tags of scripts."""

    def __init__(self, text):
        super().__init__()
        self.open, self.scripts, self.words = [], [], []
        self.attributes, self.tags = [], set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        check("tags nest", self.open and self.open.pop() == tag, tag)

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        elif self.open and self.open[-1] != "style":
            self.words.append(data)


def structure(what, text):
    page = Page(text)
    check(f"{what}: all is closed", not page.open, page.open)
    check(f"{what}: no tags but ours", page.tags <= TAGS, page.tags - TAGS)
    check(f"{what}: two scripts", len(page.scripts) == 2, len(page.scripts))
    for tag, name, value in page.attributes:
        check(f"{what}: {tag} {name}", not name.startswith("on") and
              name not in ("src", "srcset", "action", "data", "style"), value)
        if name == "href":
            check(f"{what}: href", value.startswith("#"), value)
    check(f"{what}: nothing from elsewhere",
          not re.search(r"https?://|@import|url\(|//[a-z]+\.", text), "")
    check(f"{what}: nothing becomes markup", not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|DOMParser",
        page.scripts[1]))
    values = [(t, n, v) for t, n, v in page.attributes]
    check(f"{what}: language", ("html", "lang", "en") in values)
    check(f"{what}: policy",
          ("meta", "content", "default-src 'none'; style-src "
           "'unsafe-inline'; script-src 'unsafe-inline'") in values)
    return page


def same_as_json(what, page, before, after):
    """The document in the page says what groups and explain say."""
    data = json.loads(page.scripts[0])
    want = json.loads(run(*before, "groups", "--json", *after))
    for key in want:
        if key not in ("command", "devices"):
            check(f"{what}: {key}", data.get(key) == want[key], data.get(key))
    by_name = {d["device"]: d for d in data["devices"]}
    check(f"{what}: devices have names of their own",
          len(by_name) == len(want["devices"]))
    for group in want["groups"]:
        said = json.loads(run(*before, "explain", group["label"],
                              "--json", *after))
        check(f"{what}: advice", data["advice"][group["id"]] ==
              said["advice"], group["label"])
        for device in said["devices"]:
            check(f"{what}: {device['device']}",
                  by_name[device["device"]] == device)
            check(f"{what}: reasons in words", all(
                reason["text"] in page.words for reason in
                device["reasons"]), device["device"])
    return data


def scope(kind, number, *path):
    return struct.pack("<BBHBB", kind, 6 + len(path), 0, number, 0) + \
        bytes(path)


def record(kind, body):
    return struct.pack("<HH", kind, 4 + len(body)) + body


def evil_table():
    """A unit, a device of an evil name, and a region that ends too early."""
    unit = record(0, struct.pack("<BBHQ", 1, 0, 0, 0xfed90000) +
                  scope(5, 1, 0x15, 0))
    name = record(4, bytes(3) + b"\1" + b"\\_SB." + EVIL.encode() + b"\0")
    odd = record(1, struct.pack("<HHQQ", 0, 0, 0x7a000000, 0x79000000) +
                 scope(1, 0, 2, 0))
    body = unit + odd + name
    table = struct.pack("<4sIBB6s8sI4sIBB10x", b"DMAR", 48 + len(body), 1, 0,
                        b"TEST  ", b"TEST    ", 1, b"TEST", 1, 47, 0) + body
    return table[:9] + bytes([-sum(table) & 255]) + table[10:]


def evil_bundle():
    words = struct.pack("<HHIBBHI", 0x8086, 0x1000, 0, 0, 0, 0x0200, 0)
    return "\n".join([
        "uiommu-bundle 1", "== cmdline", "intel_iommu=on iommu.strict=" + EVIL,
        "== kernel", EVIL, "== table DMAR", evil_table().hex(),
        "== config 0000:00:02.0", words.hex() + "00" * 48,
        "== function 0000:00:02.0", "driver " + EVIL[:31],
        "== group 0", "type " + EVIL[:23].replace(" ", ""),
        "device 0000:00:02.0", "region 0xfee00000 0xfeefffff msi", ""])


def browse(path, *words):
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-quic", "--no-first-run",
             "--disable-background-networking",
             "--disable-component-update", "--disable-sync",
             f"--user-data-dir={home}", "--enable-logging=stderr",
             "--virtual-time-budget=4000", "--dump-dom", *words,
             path], capture_output=True, check=False, timeout=100,
            env={**os.environ, "HOME": home})
    said = done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8", "replace"), \
        [line for line in said.splitlines() if "CONSOLE" in line]


def drawn(what, path, data):
    if not shutil.which("chromium"):
        print(f"SKIP {what}: no chromium; scripts/setup.sh report")
        return
    uri = pathlib.Path(path).as_uri()
    first = data["devices"][-1]
    dom, said = browse(uri)
    check(f"{what}: quiet", not said, said)
    boxes = dom.count('class="device"')
    check(f"{what}: boxes", boxes == len(data["devices"]),
          f"{boxes} of {len(data['devices'])}")
    missing = any("missing" in r for d in data["devices"]
                  for r in d["reasons"])
    check(f"{what}: marks", ("pill acs" in dom) == missing)
    check(f"{what}: closed", '<aside hidden="">' in dom)
    quoted = "".join(f"%{byte:02x}" for byte in first["device"].encode())
    dom, said = browse(f"{uri}#device={quoted}")
    check(f"{what}: quiet when open", not said, said)
    aside = dom[dom.find("<aside"):]
    check(f"{what}: opens", "hidden" not in aside[:20] and
          first["reasons"][0]["rule"] in aside, aside[:200])
    check(f"{what}: no evil", "<script>alert" not in dom and "<b>\"" not in
          aside)


def writing(where):
    path = where / "page.html"
    run("demo", "report", status=(2,))
    run("demo", "report", "--json", "-o", str(path), status=(2,))
    run("demo", "report", "-o", str(where / "no" / "page"), status=(1,))
    path.write_text("before")
    os.chmod(where, 0o755)
    run("demo", "report", "-o", str(path))
    check("nothing is left", [p.name for p in where.iterdir()] ==
          ["page.html"], list(where.iterdir()))
    text = path.read_text(encoding="ascii")
    check("the same on standard output",
          run("demo", "report", "-o", "-") == text)
    run("demo", "report", "-o", "/dev/null")
    check("no file instead of a device",
          not pathlib.Path("/dev/null").is_file())
    return path, text


def main():
    with tempfile.TemporaryDirectory() as name:
        where = pathlib.Path(name)
        path, text = writing(where)
        page = structure("demo", text)
        drawn("demo", path, same_as_json("demo", page, ["demo"], []))
        bundle = where / "evil<script>alert(1)</script>&\"'".replace("/", "|")
        bundle.write_text(evil_bundle(), encoding="latin-1")
        path = where / "evil.html"
        run("report", "--from", str(bundle), "-o", str(path), status=(1,))
        page = structure("evil", path.read_text(encoding="ascii"))
        data = same_as_json("evil", page, [], ["--from", str(bundle)])
        words = "".join(page.words)
        for evil in (EVIL, bundle.name, "\\_SB." + EVIL):
            check("said as it is", evil in words, evil)
        check("driver", data["devices"][0]["driver"] == EVIL[:31])
        check("findings", data["dmar_findings"] and
              "wrong with the DMAR" in words)
        drawn("evil", path, data)
    print(f"{len(FAULTS)} faults")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main())
