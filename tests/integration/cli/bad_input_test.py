#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input: each kind gets one clear line on standard error that says what to do, and exit code 2."""
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import unittest
import zlib

from program import BAD_INPUT, CLIP, FAILED, FINE, SITE, cordon, need, write_site


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, payload):
    """A length-delimited protobuf field."""
    return bytes([number << 3 | 2]) + varint(len(payload)) + payload


def block(kind, content):
    """One block of an OpenStreetMap PBF: big-endian header size, BlobHeader {type, datasize}, Blob {raw_size, zlib_data}."""
    body = b"\x10" + varint(len(content)) + field(3, zlib.compress(content))
    header = field(1, kind) + b"\x18" + varint(len(body))
    return struct.pack(">I", len(header)) + header + body


def cut_pbf():
    whole = block(b"OSMHeader", field(4, b"OsmSchema-V0.6") + field(4, b"DenseNodes")) + block(b"OSMData", os.urandom(5000))
    return whole[:-2500]


class Refusing(threading.Thread):
    """An RTSP camera that takes no password: 401 to everything."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self.listener.getsockname()[1]}/yard"

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as requests:
                sequence = b"1"
                for line in requests:
                    if line.lower().startswith(b"cseq:"):
                        sequence = line.split(b":")[1].strip()
                    if line == b"\r\n":
                        peer.sendall(b"RTSP/1.0 401 Unauthorized\r\nCSeq: " + sequence +
                                     b'\r\nWWW-Authenticate: Digest realm="yard", nonce="abc"\r\n\r\n')

    def stop(self):
        # Wakes the accept as well.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join(10)


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cordon-bad-input-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.site = write_site(cls.folder)
        cls.roads = cls.file("demo.roads")
        assert cordon("roads", "demo", cls.roads).code == FINE

    @classmethod
    def file(cls, name, content=None):
        path = os.path.join(cls.folder, name)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        return path

    @classmethod
    def made(cls, name, *arguments):
        path = cls.file(name)
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, path], check=True)
        return path

    def assert_one_line(self, answer, *parts, code=BAD_INPUT):
        lines = answer.err.strip().splitlines()
        self.assertEqual(answer.code, code, answer.err)
        self.assertEqual(len(lines), 1, answer.err)
        self.assertTrue(lines[0].startswith("cordon: "), lines[0])
        for part in parts:
            self.assertIn(part, lines[0])

    def replay(self, clip):
        return cordon("replay", "--config", self.site, "--camera", "yard", clip)

    def circles(self, units, at="34.0,113.0"):
        return cordon("circles", "--roads", self.roads, "--units", units, "--at", at, "--json")

    # ---- clips ----

    def test_missing_clip(self):
        self.assert_one_line(self.replay(self.file("gone.mp4")), "gone.mp4: no such file; check the path")

    def test_clip_cut_off_in_the_middle_gives_its_beginning_and_says_where_it_ends(self):
        with open(CLIP, "rb") as file:
            cut = self.file("cut.avi", file.read()[:500_000])
        answer = self.replay(cut)
        self.assert_one_line(answer, "cut.avi: cut off at 3.7 s", "copy the file again")
        self.assertIn("LINE_CROSSING", answer.out)

    def test_clip_cut_off_before_its_index(self):
        whole = self.made("whole.mp4", "-i", CLIP, "-t", "2", "-c:v", "libx264", "-preset", "ultrafast")
        with open(whole, "rb") as file:
            cut = self.file("cut.mp4", file.read()[:20_000])
        self.assert_one_line(self.replay(cut), "cut.mp4: not a video, or cut off before its index")

    def test_clip_of_sound_alone(self):
        clip = self.made("sound.mp4", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac")
        self.assert_one_line(self.replay(clip), "sound.mp4: no video in it (only sound or data); give a clip")

    def test_a_live_camera_is_no_clip(self):
        self.assert_one_line(self.replay("rtsp://127.0.0.1:1/yard"), "replay reads recorded clips",
                             "cordon cameras probe rtsp://127.0.0.1:1/yard")

    def test_output_into_a_folder_that_is_not_there(self):
        answer = cordon("replay", "--config", self.site, "--camera", "yard", CLIP, "--events", "/nowhere/e.jsonl")
        self.assert_one_line(answer, "cannot write /nowhere/e.jsonl; does its folder exist?")

    # ---- cameras ----

    def test_unreachable_camera(self):
        answer = cordon("cameras", "probe", "rtsp://127.0.0.1:1/yard")
        self.assert_one_line(answer, "127.0.0.1:1", "refused", code=FAILED)

    def test_wrong_password(self):
        camera = Refusing()
        camera.start()
        self.addCleanup(camera.stop)
        password = self.file("password", b"wrong\n")
        answer = cordon("cameras", "probe", camera.url, "--username", "viewer", "--password-file", password)
        self.assert_one_line(answer, "password", code=FAILED)
        self.assertNotIn("wrong\n", answer.err + answer.out)

    # ---- roads ----

    def test_pbf_that_is_cut_off(self):
        pbf = self.file("cut.osm.pbf", cut_pbf())
        out = self.file("cut.roads")
        self.assert_one_line(cordon("roads", "build", pbf, out), "cut.osm.pbf: cut off or not an OpenStreetMap file",
                             "download it again")
        self.assertFalse(os.path.exists(out), "no half road file is left behind")

    def test_road_file_that_is_cut_off(self):
        with open(self.roads, "rb") as file:
            cut = self.file("cut.roads", file.read()[:100_000])
        self.assert_one_line(cordon("roads", "info", cut), "cut off or overwritten", "cordon roads build")

    def test_pbf_without_roads(self):
        pbf = self.file("sea.osm.pbf", block(b"OSMHeader", field(4, b"OsmSchema-V0.6")))
        self.assert_one_line(cordon("roads", "build", pbf, self.file("sea.roads")), "sea.osm.pbf: there are no roads in it",
                             "take an extract with highways")

    def test_road_file_that_is_damaged_or_of_an_older_version(self):
        with open(self.roads, "rb") as file:
            whole = bytearray(file.read())
        damaged, older = bytearray(whole), bytearray(whole)
        damaged[len(whole) // 2] ^= 0xFF
        struct.pack_into("<I", older, 8, 0)
        for name, content, part in (("damaged.roads", damaged, "damaged.roads: the checksum is wrong"),
                                    ("older.roads", older, "older.roads: road file version 0")):
            path = self.file(name, content)
            for command in (["roads", "info", path], ["circles", "--roads", path, "--units", path, "--at", "34,113"]):
                with self.subTest(name=name, command=command[0]):
                    self.assert_one_line(cordon(*command), part, "build it again with 'cordon roads build'")

    def test_a_picture_into_a_folder_that_is_not_there(self):
        units = self.file("one.json", b'[{"id":"near","lat":34.0,"lon":113.0}]')
        answer = cordon("circles", "--roads", self.roads, "--units", units, "--at", "34,113", "--png", "/nowhere/a.png")
        self.assert_one_line(answer, "cannot write /nowhere/a.png: its folder does not exist; make it first")

    # ---- units and places ----

    def test_no_unit_at_all_is_an_answer_that_says_so(self):
        none = self.file("none.json", b"[]")
        answer = self.circles(none)
        self.assertEqual((answer.code, json.loads(answer.out)["units"]), (FINE, []), answer.err)
        answer = cordon("contain", "--roads", self.roads, "--units", none, "--at", "34.0,113.0")
        self.assertEqual(answer.code, FINE, answer.err)
        self.assertIn("no available unit can take part; nothing is held", answer.out)

    def test_ten_thousand_units_are_all_answered(self):
        units = [{"id": f"u{i}", "lat": 34.0 + (i % 100 - 50) * 2e-4, "lon": 113.0 + (i // 100 - 50) * 2e-4} for i in range(10_000)]
        answer = self.circles(self.file("many.json", json.dumps(units).encode()))
        self.assertEqual(answer.code, FINE, answer.err)
        told = json.loads(answer.out)["units"]
        self.assertEqual(len(told), 10_000)
        self.assertTrue(all("eta_ms" in unit or unit["reason"] for unit in told))

    def test_tiers_that_do_not_ascend(self):
        units = self.file("one.json", b'[{"id":"near","lat":34.0,"lon":113.0}]')
        asked = ["--roads", self.roads, "--units", units]
        self.assert_one_line(cordon("circles", *asked, "--at", "34,113", "--tiers", "180,60"), "tiers must ascend: 60 s comes after 180 s")
        self.assert_one_line(cordon("coverage", *asked, "--tiers", "180,60"), "--tiers: 180,60 does not ascend", "60,180,300")
        text = SITE.replace("roads: demo", "roads: demo\n  tiers_s: [180, 60]")
        self.assert_one_line(cordon("check", write_site(tempfile.mkdtemp(dir=self.folder), text)), "site.yaml:4:12:", "tiers_s: must ascend")

    def test_units_outside_the_map_are_listed_with_the_reason_and_cost_nobody_else(self):
        units = self.file("far.json", json.dumps([{"id": "near", "lat": 34.0, "lon": 113.0},
                                                  {"id": "far", "lat": 50.0, "lon": 10.0}]).encode())
        answer = self.circles(units)
        self.assertEqual(answer.code, FINE, answer.err)
        by_id = {unit["id"]: unit for unit in json.loads(answer.out)["units"]}
        self.assertIn("eta_ms", by_id["near"])
        self.assertNotIn("eta_ms", by_id["far"])
        self.assertEqual(by_id["far"]["left_out"], "off_network")
        self.assertIn("road", by_id["far"]["reason"])

    def test_coordinates_that_are_no_numbers_cost_their_own_unit_only(self):
        units = self.file("nan.json", b'[{"id":"near","lat":34.0,"lon":113.0},{"id":"a","lat":NaN,"lon":113.0},'
                                      b'{"id":"b","lat":34.0,"lon":-Infinity},{"id":"c","lat":"x","lon":1},'
                                      b'{"id":"d \\" NaN","lat":34.001,"lon":113.0}]')
        answer = self.circles(units)
        self.assertEqual(answer.code, FINE)
        lines = answer.err.strip().splitlines()
        self.assertEqual(len(lines), 3, answer.err)
        for number, (line, key) in enumerate(zip(lines, ["lat", "lon", "lat"]), 2):
            self.assertTrue(line.endswith(f"entry {number}: {key} is not a number; left out"), line)
        self.assertEqual({unit["id"] for unit in json.loads(answer.out)["units"]}, {"near", 'd " NaN'})
        same = cordon("coverage", "--roads", self.roads, "--units", units, "--json")
        self.assertEqual((same.code, same.err), (FINE, answer.err), "coverage reads units as circles does")

    def test_scene_that_is_no_place(self):
        units = self.file("one.json", b'[{"id":"near","lat":34.0,"lon":113.0}]')
        for at in ("nan,113", "134,113", "34", "34;113", "0,0"):
            with self.subTest(at=at):
                self.assert_one_line(self.circles(units, at), f"'{at}' is not a place; expected LAT,LON as in")

    def test_units_file_that_is_no_json(self):
        answer = self.circles(self.file("bad.json", b'[{"id":'))
        self.assert_one_line(answer, "bad.json: not JSON: ", "line 1")
        self.assertNotIn("exception", answer.err)

    # ---- configuration ----

    def test_configuration_problems_are_all_told_with_place_and_remedy(self):
        text = SITE.replace("dwell_s", "dwel_s", 1).replace("lat: 34.0", "lat: 134.0").replace(
            "kind: loitering", "kind: loitring")
        bad = write_site(tempfile.mkdtemp(dir=self.folder), text)
        for command in (["check", bad], ["run", bad], ["node", bad], ["dispatch", bad],
                        ["replay", "--config", bad, "--camera", "yard", CLIP], ["events", bad]):
            with self.subTest(command=command[0]):
                answer = cordon(*command)
                self.assertEqual(answer.code, BAD_INPUT)
                lines = answer.err.strip().removeprefix("cordon: ").splitlines()
                self.assertEqual(len(lines), 3, answer.err)
                self.assertRegex(lines[0], r"site.yaml:7:10: .*lat is 134.0; it must be -90..90 deg")
                self.assertRegex(lines[1], r"site.yaml:13:\d+: unknown key 'dwel_s' .*did you mean 'dwell_s'\?")
                self.assertRegex(lines[2], r"site.yaml:14:\d+: .*'loitring' is not one of .*did you mean 'loitering'\?")

    def test_missing_configuration(self):
        gone = self.file("gone.yaml")
        for command in (["check", gone], ["run", gone], ["events", gone]):
            with self.subTest(command=command[0]):
                self.assert_one_line(cordon(*command), "gone.yaml: no such file; check the path")

    def test_check_tells_what_the_site_names_and_does_not_have(self):
        text = SITE.replace("roads: demo", "roads: city.roads").replace("    lat:", "    password_file: none\n    lat:")
        answer = cordon("check", write_site(tempfile.mkdtemp(dir=self.folder), text), "--json")
        self.assertEqual(answer.code, BAD_INPUT)
        problems = json.loads(answer.out)["problems"]
        self.assertEqual(len(problems), 2, problems)
        self.assertRegex(problems[0], r"site.yaml:3:10: dispatch: roads: .*city.roads")
        self.assertRegex(problems[1], r"site.yaml:7:20: camera yard: password_file: .*none: no such file")

    def test_the_demo_site_is_in_order(self):
        answer = cordon("check", self.site)
        self.assertEqual((answer.code, answer.err), (FINE, ""))


    # ---- the command line ----

    def test_words_that_the_command_line_does_not_know(self):
        units = self.file("one.json", b"[]")
        for words, part in ((["circles", "--roads", self.roads, "--units", units, "--at", "34,113", "--tiers", "x"], "see 'cordon circles --help'"),
                            (["keys"], "see 'cordon keys --help'"), (["simulate"], "--roads is required; see 'cordon simulate --help'")):
            with self.subTest(words=words[0]):
                self.assert_one_line(cordon(*words), part)


if __name__ == "__main__":
    need(CLIP)
    unittest.main(verbosity=2)
