#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Camera in, response circles out: the whole site with a real RTSP camera, real processes and real HTTP."""
import os
import shutil
import sqlite3
import sys
import tempfile
import time
import unittest
import urllib.error

sys.path.insert(0, os.path.dirname(__file__))
import site_process as site_of  # noqa: E402

UNREACHABLE = "rtsp://127.0.0.1:1/nobody"


def alert_ids(data):
    """The id of every alert in the dispatcher's database, read while it runs."""
    with sqlite3.connect(f"file:{data}/dispatch.db?mode=ro", uri=True) as db:
        return [row[0] for row in db.execute("SELECT id FROM alert")]


def undelivered(data):
    """Alerts that node-1 committed and the dispatcher does not have. The outbox keeps a row until it is acknowledged."""
    with sqlite3.connect(f"file:{data}/nodes/node-1/outbox.db?mode=ro", uri=True) as db:
        last = db.execute("SELECT last_sequence FROM outbox_state").fetchone()
    with sqlite3.connect(f"file:{data}/dispatch.db?mode=ro", uri=True) as db:
        cursor = db.execute("SELECT durable FROM inbox_producers").fetchone()
    return last[0] - cursor[0]


class Pipeline(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cordon-pipeline-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.camera = site_of.Camera()
        cls.addClassCleanup(cls.camera.stop)
        place = site_of.demo_city_centre()
        cls.site = site_of.Site(cls.folder, site_of.camera_block("yard", cls.camera.url, place) +
                                site_of.camera_block("gone", UNREACHABLE, place))
        cls.place = place
        cls.addClassCleanup(cls.stop_site)
        cls.site.start()

    @classmethod
    def stop_site(cls):
        children = cls.site.children()
        code = cls.site.stop()
        left = [name for name, pid in children.items() if os.path.exists(f"/proc/{pid}")]
        assert code == 0, f"cordon run ended with {code}: {cls.site.tail()}"
        assert not left, f"still running: {left}"

    def alerts(self, kind=None):
        found = self.site.get_json("/api/alerts?limit=500")["alerts"]
        return [alert for alert in found if kind is None or alert["kind"] == kind]

    def report_position(self, unit):
        lat, lon = self.place[0] + 0.004, self.place[1] + 0.004
        self.site.get(f"/api/positions/osmand?id={unit}&lat={lat}&lon={lon}&timestamp={int(time.time())}&accuracy=5")

    def test_1_an_alert_arrives_with_picture_and_circles(self):
        self.report_position("car-1")
        site_of.wait_for("a line crossing is at the dispatcher", lambda: self.alerts("line_crossing"), 60)

        def with_circles():
            self.report_position("car-1")
            for alert in self.alerts("line_crossing"):
                try:
                    circles = self.site.get_json(f"/api/alerts/{alert['id']}/circles")
                except urllib.error.HTTPError:
                    continue  # 404: not computed yet
                if circles.get("tiers") and circles.get("units"):
                    return alert, circles
            return None

        alert, circles = site_of.wait_for("its circles and the unit's ETA are there", with_circles, 60)
        self.assertEqual([tier["tier_s"] for tier in circles["tiers"]], [60, 180, 300])
        areas = [tier["reached_road_m"] for tier in circles["tiers"]]
        self.assertEqual(areas, sorted(areas), "a longer tier reaches no less")
        self.assertEqual(circles["units"][0]["unit"], "car-1")
        picture = self.site.get(f"/api/alerts/{alert['id']}/snapshot.jpg")
        self.assertEqual(picture[:2], b"\xff\xd8", "a JPEG")

    def test_2_the_unreachable_camera_is_lost_with_its_reason_and_harms_no_other(self):
        lost = site_of.wait_for("the unreachable camera is reported", lambda: self.alerts("stream_lost"), 60)
        self.assertEqual({alert["camera"] for alert in lost}, {"gone"})

    def test_3_a_clip_follows_the_alert(self):
        def clip():
            for alert in self.alerts("line_crossing"):
                if alert.get("evidence", {}).get("size_bytes"):
                    return alert
            return None

        alert = site_of.wait_for("a clip is ready", clip, 60)
        movie = self.site.get(f"/api/clips/{alert['id']}.mp4")
        self.assertEqual(movie[4:8], b"ftyp", "an MP4")

    def test_4_killed_processes_come_back_and_nothing_is_lost_or_doubled(self):
        for victim in ["node-1", "dispatch", "node-1", "dispatch"]:
            before = len(alert_ids(self.site.data))
            pid = site_of.wait_for(f"{victim} runs", lambda v=victim: self.site.kill(v), 30)
            site_of.wait_for(f"{victim} came back",
                             lambda v=victim, p=pid: self.site.children().get(v, p) != p, 30)
            site_of.wait_for("the console answers again", self.site.healthy, 60)
            site_of.wait_for("alerts go on", lambda b=before: len(alert_ids(self.site.data)) > b, 60)
        rows = alert_ids(self.site.data)
        self.assertEqual(len(rows), len(set(rows)), "no alert twice")
        site_of.wait_for("everything that was committed arrived", lambda: undelivered(self.site.data) == 0, 30)


if __name__ == "__main__":
    site_of.need(site_of.CLIP)
    unittest.main(verbosity=2)
