#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/metrics.md lists the metrics of the sources, each with its help, and no others.

usage: metrics_doc.py ROOT           compares; exits 1 when they differ
       metrics_doc.py --write ROOT   writes docs/metrics.md
"""
import os
import re
import sys

FOLDERS = ["base", "bus", "ingest", "analytics", "dispatch", "console", "cli"]
CALL = re.compile(r'(Counter|Gauge|Latency)\s*\(\s*"(cordon_[a-z0-9_]+)"\s*,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', re.S)
KINDS = {"Counter": "counter", "Gauge": "gauge", "Latency": "histogram, seconds"}
HEAD = """# Metrics

Prometheus text at `/metrics` of the dispatcher, which serves the metrics of every node with its own, labelled `node="NAME"`.
Names are an interface. This page is made by `tests/tidy/metrics_doc.py --write .`
and a test compares it with the sources.

| metric | kind | folder | what it counts |
|---|---|---|---|
"""


def registered(root):
    """name -> (kind, folder, help), from every call that registers a metric by a literal name."""
    found = {}
    for folder in FOLDERS:
        for name in sorted(os.listdir(os.path.join(root, folder))):
            if not name.endswith((".cc", ".h")):
                continue
            with open(os.path.join(root, folder, name), encoding="utf-8") as file:
                for kind, metric, text in CALL.findall(file.read()):
                    words = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
                    found[metric] = (KINDS[kind], folder, words.replace("|", "/"))
    return found


def page(metrics):
    return HEAD + "".join(f"| `{name}` | {kind} | {folder} | {words} |\n"
                          for name, (kind, folder, words) in sorted(metrics.items()))


def main():
    write = len(sys.argv) == 3 and sys.argv[1] == "--write"
    root = sys.argv[-1]
    path = os.path.join(root, "docs/metrics.md")
    wanted = page(registered(root))
    if write:
        with open(path, "w", encoding="utf-8") as file:
            file.write(wanted)
        return 0
    with open(path, encoding="utf-8") as file:
        present = file.read()
    if present == wanted:
        return 0
    lines = set(wanted.split("\n")) ^ set(present.split("\n"))
    print("docs/metrics.md differs from the sources; run tests/tidy/metrics_doc.py --write .")
    print("\n".join(sorted(lines)))
    return 1


if __name__ == "__main__":
    sys.exit(main())
