#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`cordon replay`: the same clip gives the same bytes, whatever else the machine does meanwhile."""
import json
import os
import subprocess
import tempfile
import unittest

from program import CLIP, CORDON, FINE, need, write_site


def replay(folder, site, name):
    """A replay that runs on; its files are NAME.jsonl and NAME.txt."""
    return subprocess.Popen([CORDON, "replay", "--config", site, "--camera", "yard", CLIP, "--json", "--events",
                             os.path.join(folder, name + ".jsonl"), "--tracks-mot",
                             os.path.join(folder, name + ".txt")], stdout=subprocess.PIPE)


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="cordon-replay-")
        cls.addClassCleanup(folder.cleanup)
        site = write_site(folder.name)
        # Two that compete for the cores, then one alone: threads meet in another order each time.
        together = [replay(folder.name, site, name) for name in ("first", "second")]
        cls.printed = [process.communicate(timeout=200)[0] for process in together]
        alone = replay(folder.name, site, "third")
        cls.printed.append(alone.communicate(timeout=200)[0])
        cls.codes = [process.returncode for process in (*together, alone)]

        def read(name):
            with open(os.path.join(folder.name, name), "rb") as file:
                return file.read()
        cls.events = [read(name + ".jsonl") for name in ("first", "second", "third")]
        cls.tracks = [read(name + ".txt") for name in ("first", "second", "third")]

    def test_it_ends_well(self):
        self.assertEqual(self.codes, [FINE] * 3)

    def test_the_same_clip_twice_gives_identical_bytes(self):
        self.assertEqual(self.events[0], self.events[1])
        self.assertEqual(self.events[0], self.events[2])
        self.assertEqual(self.tracks[0], self.tracks[1])
        self.assertEqual(self.tracks[0], self.tracks[2])
        self.assertEqual(self.printed[0], self.printed[1])

    def test_events_are_json_lines_and_what_is_printed_is_what_is_written(self):
        lines = self.events[0].decode().splitlines()
        self.assertGreater(len(lines), 5, "people cross the line in this clip")
        kinds = {json.loads(line)["kind"] for line in lines}
        self.assertIn("EVENT_KIND_LINE_CROSSING", kinds)
        self.assertEqual(self.printed[0], self.events[0])

    def test_tracks_are_mot_rows_in_source_pixels_in_the_order_of_frames(self):
        rows = [line.split(",") for line in self.tracks[0].decode().splitlines()]
        self.assertGreater(len(rows), 1000)
        frames = [int(row[0]) for row in rows]
        self.assertEqual(frames, sorted(frames))
        for row in rows:
            self.assertEqual(len(row), 10)
            self.assertEqual(row[7:], ["-1", "-1", "-1"])
            x, y, width, height = map(float, row[2:6])
            self.assertGreater(width, 0)
            self.assertGreater(height, 0)
            self.assertLessEqual(x + width, 768 + 8)
            self.assertLessEqual(y + height, 576 + 8)


if __name__ == "__main__":
    need(CLIP)
    unittest.main(verbosity=2)
