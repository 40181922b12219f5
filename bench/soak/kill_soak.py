#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of a real node and a real dispatcher, again and again while alerts flow, each time with a backlog; then every
record that the node ever committed must be at the dispatcher, once.

    bench/soak/kill_soak.py [--kills 50] [--seed 1] [--json]

Real cameras over RTSP, real processes, real files. Exit code 1 when anything is lost or there twice. About 3 s for each
kill. The node's own numbering is the witness: record N is the N-th that its disk ever held.
"""
import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../tests/integration/pipeline"))
import site_process as site_of  # noqa: E402

CAMERAS = 3
BACKLOG = 2  # records that wait at the node when it or the dispatcher is killed


def one(path, query):
    """The first row of a query on a database that another process writes; None while there is no such row."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as db:
            return db.execute(query).fetchone()
    except sqlite3.OperationalError:
        return None


class Roles:
    """Node and dispatcher of one site as this script's own children: nobody but it starts them again."""

    def __init__(self, folder, site):
        self.site = site
        self.log = open(os.path.join(folder, "log.txt"), "ab")
        self.running = {}
        self.outbox = os.path.join(site.data, "nodes/node-1/outbox.db")
        self.store = os.path.join(site.data, "dispatch.db")

    def start(self, role):
        words = ["dispatch", self.site.path] if role == "dispatch" else ["node", self.site.path, "--id", "node-1"]
        self.running[role] = subprocess.Popen([site_of.CORDON, *words], stdout=self.log, stderr=self.log)

    def kill(self, role):
        process = self.running.pop(role)
        if process.poll() is not None:
            raise AssertionError(f"{role} had ended by itself with {process.returncode}; see {self.log.name}")
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self):
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        return {role: process.wait(30) for role, process in self.running.items()}

    def committed(self):
        row = one(self.outbox, "SELECT last_sequence FROM outbox_state")
        return row[0] if row else 0

    def accepted(self):
        row = one(self.store, "SELECT durable FROM inbox_producers")
        return row[0] if row else 0

    def backlog(self):
        return self.committed() - self.accepted()


def soak(roles, kills, seed):
    """Does the kills; returns how many of each, and the largest backlog."""
    chance = random.Random(seed)
    done = {"dispatch": 0, "node": 0}
    largest = 0
    for role in done:
        roles.start(role)
    while sum(done.values()) < kills:
        before = roles.accepted()
        site_of.wait_for("alerts flow", lambda b=before: roles.accepted() > b, 120)
        roles.kill("dispatch")
        done["dispatch"] += 1
        wanted = BACKLOG + chance.randrange(4)
        site_of.wait_for(f"{wanted} records wait at the node", lambda w=wanted: roles.backlog() >= w, 120)
        largest = max(largest, roles.backlog())
        if sum(done.values()) < kills:
            # Now the node too, with its backlog; half of the time just while it hands the backlog over.
            if chance.random() < 0.5:
                before = roles.accepted()
                roles.start("dispatch")
                site_of.wait_for("the hand-over began", lambda b=before: roles.accepted() > b, 60)
            roles.kill("node")
            done["node"] += 1
            roles.start("node")
        if "dispatch" not in roles.running:
            roles.start("dispatch")
    return done, largest


def verdict(roles):
    """What the two databases say, after everything was handed over."""
    site_of.wait_for("everything was handed over", lambda: roles.committed() > 0 and roles.backlog() == 0, 120)
    records = roles.committed()
    ids = one(roles.store, "SELECT count(*) FROM inbox_ids")[0]
    alerts, names = one(roles.store, "SELECT count(*), count(DISTINCT id) FROM alert")
    evidence = one(roles.store, "SELECT count(*) FROM evidence")[0]
    quarantined = one(roles.store, "SELECT count(*) FROM inbox_quarantine")[0]
    return {"records": records, "alerts": alerts, "evidence": evidence, "quarantined": quarantined,
            "lost": records - ids, "twice": alerts - names, "without_effect": ids - alerts - evidence}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    site_of.need(site_of.CLIP)
    folder = tempfile.mkdtemp(prefix="cordon-soak-")
    camera = site_of.Camera()
    try:
        place = site_of.demo_city_centre()
        blocks = [site_of.camera_block(f"yard-{i + 1}", camera.url, place) for i in range(CAMERAS)]
        roles = Roles(folder, site_of.Site(folder, "".join(blocks)))
        done, largest = soak(roles, options.kills, options.seed)
        result = {"seed": options.seed, "kills": done, "largest_backlog": largest, **verdict(roles)}
        result["exit_codes"] = roles.stop()
    finally:
        camera.stop()
    good = not (result["lost"] or result["twice"] or result["without_effect"] or result["quarantined"])
    good = good and set(result["exit_codes"].values()) == {0}
    if options.json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:16} {value}")
        print("nothing lost, nothing twice" if good else f"NOT GOOD; see {folder}")
    if good:
        shutil.rmtree(folder)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
