#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the house as a test: sizes, include arrows, banned calls, what must stand on top of a file.

usage: tidy.py ROOT          checks the tree; prints file:line: what and exits 1 when a rule is broken
       tidy.py --canary ROOT proves that each rule can fail: breaks every one in a copy and expects to be told
"""
import os
import re
import subprocess
import sys
import tempfile

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 70

# Folder -> the folders whose headers it may include. docs/architecture.md says why.
ARROWS = {
    "base": set(),
    "proto": set(),
    "bus": {"base", "proto"},
    "ingest": {"base", "proto"},
    "analytics": {"base", "proto", "ingest/frame.h"},
    "dispatch": {"base", "proto"},
    "console": {"base", "proto", "dispatch"},
    "cli": {"base", "proto", "bus", "ingest", "analytics", "dispatch", "console"},
}
# Header prefix -> the folders that may include it: one owner for each third party that shapes code.
LIBRARIES = {
    "libav": {"ingest"},
    "libsw": {"ingest"},
    "opencv2/": {"ingest", "analytics"},
    "zmq": {"bus"},
    "sqlite3.h": {"base"},
    "boost/beast": {"console"},
    "boost/asio": {"console"},
    "osmium/": {"dispatch"},
    "spdlog/": {"base"},
}
# (pattern, what to do instead, files that are exempt). Product code only.
BANNED = [
    (r"\bsleep_for\b|\busleep\s*\(|\bnanosleep\s*\(", "wait on a condition with a deadline", set()),
    (r"\bstd::cout\b|\bstd::cerr\b", "base/log.h, or std::printf in cli/", set()),
    (r"\bsystem\s*\(|\bpopen\s*\(", "never run a shell", set()),
    (r"\.detach\s*\(\)", "own and join every thread", set()),
    (r"\b(system_clock|steady_clock|high_resolution_clock)::now\b|\bgettimeofday\b|\bclock_gettime\b|[^\w.>:]time\s*\(\s*(NULL|nullptr|0)\s*\)",
     "take the injected Clock", {"base/clock.cc"}),
    (r"\b(rand|srand)\s*\(", "std::mt19937 with a printed seed", set()),
    (r"\b(strcpy|strcat|sprintf|gets)\s*\(", "fmt::format or std::string", set()),
    (r"\b(TODO|FIXME|XXX|HACK)\b", "do it, or write down why not in docs/", set()),
    (r"/work/|/home/\w|/root/", "no machine paths", set()),
]
PRODUCT = tuple(ARROWS)


def tracked(root):
    """Files of the tree, relative: what git tracks or would, or everything where there is no git."""
    try:
        out = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"], check=True,
                             capture_output=True).stdout.decode()
        names = [name for name in out.split("\0") if name]
    except (subprocess.CalledProcessError, FileNotFoundError):
        names = [os.path.relpath(os.path.join(folder, name), root) for folder, _, files in os.walk(root) for name in files]
    return sorted(name for name in names if os.path.isfile(os.path.join(root, name)))


def without_comments(lines):
    """The same lines with // and /* */ comments and string literals blanked, so that words in them do not count."""
    out, in_block = [], False
    for line in lines:
        if in_block:
            end = line.find("*/")
            if end < 0:
                out.append("")
                continue
            line, in_block = line[end + 2:], False
        line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        line = re.sub(r"/\*.*?\*/", "", line)
        line = re.sub(r"//.*", "", line)
        start = line.find("/*")
        if start >= 0:
            line, in_block = line[:start], True
        out.append(line)
    return out


def check_functions(path, code):
    """A definition starts in column 0 or 2 (in a class) and ends with the brace in that column."""
    for indent in ("", "  "):
        start = None
        for number, line in enumerate(code, 1):
            opens = line.startswith(indent) and len(line) > len(indent) and not line[len(indent)].isspace()
            if start is None:
                if opens and line.rstrip().endswith("{") and ")" in join_signature(code, number) and not re.match(
                        rf"{indent}(namespace|class|struct|union|enum|extern|if|for|while|switch|else|do|try)\b", line):
                    start = number
            elif line.startswith(indent + "}"):
                if number - start + 1 > MAX_FUNCTION_LINES:
                    yield f"{path}:{start}: function of {number - start + 1} lines; at most {MAX_FUNCTION_LINES}"
                start = None


def join_signature(code, number):
    """The line that ends a signature and up to four before it, for signatures that wrap."""
    return " ".join(code[max(0, number - 5):number])


def check_includes(path, lines):
    folder = path.split("/")[0]
    if folder not in ARROWS:
        return
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#include\s+[<"]([^">]+)[">]', line)
        if not match:
            continue
        header = match.group(1)
        target = header.split("/")[0]
        if target in ARROWS and "/" in header and target != folder:
            if target not in ARROWS[folder] and header not in ARROWS[folder]:
                yield f"{path}:{number}: {folder}/ may not include {header}"
        for prefix, owners in LIBRARIES.items():
            if header.startswith(prefix) and folder not in owners:
                yield f"{path}:{number}: only {', '.join(sorted(owners))}/ may include {header}"


def check_file(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        lines = file.read().split("\n")
    source = path.endswith((".cc", ".h"))
    script = path.endswith((".py", ".sh", ".ts", ".mjs", ".proto", ".cmake")) or os.path.basename(path) == "CMakeLists.txt"
    if (source or script) and not any("SPDX-License-Identifier" in line for line in lines[:3]):
        yield f"{path}:1: the SPDX line is missing"
    if (source or path.endswith((".ts", ".css"))) and len(lines) - 1 > MAX_FILE_LINES:
        yield f"{path}:{MAX_FILE_LINES}: file of {len(lines) - 1} lines; at most {MAX_FILE_LINES}"
    if not source:
        return
    if path.endswith(".h") and "#pragma once" not in lines[:60]:
        yield f"{path}:1: #pragma once is missing"
    code = without_comments(lines)
    yield from check_functions(path, code)
    yield from check_includes(path, lines)
    if path.startswith(PRODUCT):
        for pattern, instead, exempt in BANNED:
            if path in exempt:
                continue
            where = lines if "TODO" in pattern or "/work/" in pattern else code
            for number, line in enumerate(where, 1):
                if re.search(pattern, line):
                    yield f"{path}:{number}: banned: {line.strip()[:60]!r}; {instead}"
    elif re.search(r"\bsleep_for\b|\busleep\s*\(", "\n".join(code)) and path.startswith("tests/"):
        number = next(n for n, line in enumerate(code, 1) if re.search(r"\bsleep_for\b|\busleep\s*\(", line))
        yield f"{path}:{number}: tests wait on conditions, they do not sleep"


def check_tree(root):
    problems = []
    for path in tracked(root):
        if path.endswith((".cc", ".h", ".py", ".sh", ".ts", ".css", ".mjs", ".proto", ".cmake", "CMakeLists.txt")):
            problems += check_file(root, path)
    return problems


SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
LONG = "void Long() {\n" + "  ;\n" * MAX_FUNCTION_LINES + "}\n"
CANARIES = {  # file -> (content, words that the report must hold)
    "base/a.cc": (SPDX + '#include "bus/outbox.h"\n', "may not include bus/outbox.h"),
    "dispatch/b.cc": (SPDX + "#include <opencv2/core.hpp>\n", "may include opencv2"),
    "bus/c.cc": (SPDX + "void F() { std::this_thread::sleep_for(x); }\n", "wait on a condition"),
    "bus/d.cc": (SPDX + LONG, "function of"),
    "ingest/e.cc": (SPDX + "int x;\n" * (MAX_FILE_LINES + 1), "file of"),
    "ingest/f.cc": ("int x;\n", "SPDX"),
    "ingest/g.h": (SPDX + "int x;\n", "#pragma once"),
    "console/h.cc": (SPDX + "auto t = std::chrono::steady_clock::now();\n", "injected Clock"),
    "cli/i.cc": (SPDX + "// TODO later\n", "banned"),
    "tests/j.cc": (SPDX + "void F() { usleep(3); }\n", "do not sleep"),
    "analytics/k.cc": (SPDX + '#include "ingest/packet_source.h"\n', "may not include ingest/packet_source.h"),
}


def canary():
    failures = 0
    for path, (content, words) in CANARIES.items():
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, os.path.dirname(path)))
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(content)
            report = check_file(root, path)
            if not any(words in line for line in report):
                print(f"canary: {path}: the rule that should say {words!r} said nothing")
                failures += 1
    print(f"canary: {len(CANARIES) - failures} of {len(CANARIES)} rules can fail")
    return failures


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--canary":
        return 1 if canary() else 0
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    problems = check_tree(sys.argv[1])
    print("\n".join(problems) if problems else "tidy: nothing to say")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
