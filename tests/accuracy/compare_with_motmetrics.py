#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares mot_eval with the motmetrics package on the same files, in a virtual environment of its own.

usage: compare_with_motmetrics.py MOT_EVAL GT RESULT

Installs motmetrics from the package index; says so and exits 0 when it cannot be reached.
"""
import json
import os
import subprocess
import sys
import tempfile

INNER = r"""
import json, sys
import motmetrics as mm
import numpy as np
import pandas as pd

def load(path, truth):
    rows = [line.split(",") for line in open(path) if line.strip()]
    frame = pd.DataFrame([[float(v) for v in row[:7]] for row in rows], columns=list("fixywhc"))
    if truth:
        frame = frame[frame.c != 0]
    return frame

gt, result = load(sys.argv[1], True), load(sys.argv[2], False)
acc = mm.MOTAccumulator(auto_id=False)
for number in sorted(set(gt.f) | set(result.f)):
    a, b = gt[gt.f == number], result[result.f == number]
    d = mm.distances.iou_matrix(a[list("xywh")].values, b[list("xywh")].values, max_iou=0.5)
    acc.update(a.i.astype(int).values, b.i.astype(int).values, d, frameid=int(number))
s = mm.metrics.create().compute(acc, metrics=["mota", "idf1", "num_false_positives", "num_misses", "num_switches"], name="x")
print(json.dumps({k: float(s[k].iloc[0]) for k in s}))
"""


def main() -> int:
    if len(sys.argv) != 4:
        print(__doc__)
        return 2
    ours = json.loads(subprocess.check_output([sys.argv[1], "--json", sys.argv[2], sys.argv[3]]))
    with tempfile.TemporaryDirectory() as folder:
        python = os.path.join(folder, "bin", "python")
        subprocess.check_call([sys.executable, "-m", "venv", folder])
        install = [python, "-m", "pip", "install", "--quiet", "motmetrics", "numpy<2"]
        if subprocess.call(install) != 0:
            print("NOTHING_RAN_SKIPPED: motmetrics cannot be installed (no network?)")
            return 0
        theirs = json.loads(subprocess.check_output([python, "-c", INNER, sys.argv[2], sys.argv[3]]))
    pairs = {"mota": "mota", "idf1": "idf1", "num_false_positives": "fp", "num_misses": "fn", "num_switches": "idsw"}
    worst = 0.0
    for theirs_name, ours_name in pairs.items():
        a, b = theirs[theirs_name], ours[ours_name]
        worst = max(worst, abs(a - b) / max(1.0, abs(a)))
        print(f"{ours_name:5} ours {b:.5f}  motmetrics {a:.5f}")
    return 0 if worst < 0.005 else 1


if __name__ == "__main__":
    sys.exit(main())
