# SPDX-License-Identifier: Apache-2.0
"""The `cordon` program and what it answers. For the command-line tests."""
import collections
import os
import subprocess
import sys

SOURCE = os.environ.get("CORDON_SOURCE_DIR", ".")
CORDON = os.environ.get("CORDON_BINARY", "build/release/cli/cordon")
CLIP = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
SKIPPED = 77

FINE, FAILED, BAD_INPUT = 0, 1, 2

Answer = collections.namedtuple("Answer", "code out err")


def cordon(*arguments, timeout=120, folder=None):
    """Runs the program to its end."""
    done = subprocess.run([CORDON, *arguments], capture_output=True, text=True, timeout=timeout, cwd=folder)
    return Answer(done.returncode, done.stdout, done.stderr)


def need(path):
    """Skips the whole test visibly when a file is missing."""
    if not os.path.exists(path):
        print(f"skipped: {path} is missing")
        sys.exit(SKIPPED)


SITE = """\
id: test
dispatch:
  roads: demo
cameras:
  - id: yard
    url: {url}
    lat: 34.0
    lon: 113.0
    purpose: test
    retention_hours: 1
    rules:
      - {{id: road-line, kind: line_crossing, line: ['0.55,0.30', '0.57,0.66'], rearm_s: 1}}
      - {{id: lawn, kind: intrusion, zone: ['0,0.44', '0.45,0.60', '1,0.89', '1,1', '0,1'], dwell_s: 1}}
      - {{id: junction, kind: loitering, zone: ['0.25,0.36', '0.60,0.32', '0.75,0.55', '0.50,0.62'], dwell_s: 5}}
"""


def write_site(folder, text=SITE, url="rtsp://127.0.0.1:1/nobody"):
    path = os.path.join(folder, "site.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.format(url=url))
    return path
