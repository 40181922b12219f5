#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""No secret leaves its file: passwords, the position token and the bus's keys are used, and then looked for in everything
that a running site says or writes: log lines at debug level, arguments and environment of every process, the HTTP
interface, the feed, metrics and the data folder."""
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(__file__))
import site_process as site_of  # noqa: E402

PASSWORD = "Canary-camera-7f3a"
WRONG_PASSWORD = "Canary-wrong-91bc"
TOKEN = "Canary-token-c04d"
USER = "operator-of-camera"
PLACE = (34.0, 113.0)


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class GuardedCamera:
    """An RTSP server that lets nobody in without the right digest, and says 'not found' to who has it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rtsp://127.0.0.1:{self.listener.getsockname()[1]}/guarded"
        self.admitted = threading.Event()
        self.refused = threading.Event()
        self.received = b""
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        pending = b""
        with peer:
            while True:
                try:
                    piece = peer.recv(4096)
                except OSError:
                    return
                if not piece:
                    return
                self.received += piece
                pending += piece
                while b"\r\n\r\n" in pending:
                    head, pending = pending.split(b"\r\n\r\n", 1)
                    try:
                        peer.sendall(self.answer(head.decode()))
                    except OSError:
                        return

    def answer(self, head):
        method = head.split(" ", 1)[0]
        sequence = re.search(r"(?im)^CSeq:\s*(\d+)", head).group(1)
        status = "200 OK" if method == "OPTIONS" else self.judge(method, head)
        challenge = 'WWW-Authenticate: Digest realm="cam", nonce="n1"\r\n' if status.startswith("401") else ""
        return f"RTSP/1.0 {status}\r\nCSeq: {sequence}\r\n{challenge}\r\n".encode()

    def judge(self, method, head):
        given = dict(re.findall(r'(\w+)="([^"]*)"', (re.search(r"(?im)^Authorization:(.*)$", head) or [None, ""])[1]))
        wanted = md5(f"{md5(f'{USER}:cam:{PASSWORD}')}:n1:{md5(method + ':' + given.get('uri', ''))}")
        if given.get("response") == wanted:
            self.admitted.set()
            return "404 Not Found"
        if given:
            self.refused.set()
        return "401 Unauthorized"

    def stop(self):
        self.listener.close()


def written(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


class Secrets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cordon-secrets-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.camera = GuardedCamera()
        cls.addClassCleanup(cls.camera.stop)
        keys = os.path.join(cls.folder, "keys")
        for name in ["dispatch", "node-1"]:
            subprocess.run([site_of.CORDON, "keys", "generate", keys, "--name", name], check=True, capture_output=True)
        cls.secrets = [PASSWORD, WRONG_PASSWORD, TOKEN]
        for name in ["dispatch", "node-1"]:
            with open(os.path.join(keys, name + ".key"), encoding="utf-8") as file:
                cls.secrets.append(file.read().strip())
        cls.site = site_of.Site(cls.folder, cls.block("right", PASSWORD) + cls.block("wrong", WRONG_PASSWORD))
        with open(cls.site.path, "a", encoding="utf-8") as file:
            file.write(f"bus:\n  keys_dir: {keys}\n")
        with open(cls.site.path, encoding="utf-8") as file:
            text = file.read()
        token = written(os.path.join(cls.folder, "token"), TOKEN + "\n")
        with open(cls.site.path, "w", encoding="utf-8") as file:
            file.write(text.replace("console:\n", f"console:\n  position_token_file: {token}\n"))
        cls.site.start("--log-level", "debug")
        cls.addClassCleanup(cls.site.stop)

    @classmethod
    def block(cls, identifier, password):
        path = written(os.path.join(cls.folder, identifier + ".password"), password + "\n")
        return site_of.camera_block(identifier, cls.camera.url, PLACE) + f"    username: {USER}\n    password_file: {path}\n"

    def expect_clean(self, where, data):
        text = data if isinstance(data, bytes) else data.encode()
        for secret in self.secrets:
            self.assertNotIn(secret.encode(), text, f"{where} holds a secret")

    def test_1_the_password_opens_the_camera_and_the_token_the_positions(self):
        self.assertTrue(self.camera.admitted.wait(30), "the right password was used")
        self.assertTrue(self.camera.refused.wait(30), "the wrong one was tried")
        url = self.site.url() + "/api/positions/osmand?id=car-1&lat=34&lon=113&timestamp=1"
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url + "&token=wrong")
        self.expect_clean("the refusal", refused.exception.read())
        self.assertIn(b"ok", urllib.request.urlopen(f"{url}&token={TOKEN}").read())
        self.assertNotIn(PASSWORD.encode(), self.camera.received, "the password does not cross the network")

    def test_2_processes_show_nothing(self):
        children = self.site.children()
        self.assertEqual(sorted(children), ["dispatch", "node-1"])
        for name, pid in {**children, "run": self.site.process.pid}.items():
            for file in ["cmdline", "environ"]:
                with open(f"/proc/{pid}/{file}", "rb") as shown:
                    self.expect_clean(f"{file} of {name}", shown.read())
        for name, pid in children.items():
            with open(f"/proc/{pid}/limits", encoding="utf-8") as limits:
                self.assertRegex(limits.read(), r"Max core file size\s+0\s+0", f"{name} leaves no core dump")
            with open(f"/proc/{pid}/status", encoding="utf-8") as status:
                self.assertRegex(status.read(), r"NoNewPrivs:\s+1", f"{name} gains no privileges")

    def test_3_the_interface_says_nothing(self):
        site_of.wait_for("the refused cameras are an alert", lambda: self.site.get_json("/api/alerts")["alerts"], 60)
        paths = ["/api/site", "/metrics", "/api/alerts", "/api/incidents", "/api/units", "/api/notices?open=1", "/api/rules",
                 "/api/views", "/api/coverage", "/healthz"]
        for path in paths:
            self.expect_clean(path, self.site.get(path))
        self.expect_clean("the feed", self.feed_snapshot())

    def feed_snapshot(self):
        host, port = self.site.url().removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 10) as peer:
            peer.sendall(f"GET /api/feed HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
            seen = b""
            while b'"snapshot"' not in seen or b'"last_test"' not in seen:
                seen += peer.recv(65536)
            return seen

    def test_4_an_address_with_a_password_is_refused_without_repeating_it(self):
        path = os.path.join(self.folder, "bad.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(site_of.SITE.format(data=self.site.data, cameras=site_of.camera_block(
                "gate", f"rtsp://admin:{PASSWORD}@127.0.0.1/x", PLACE)))
        for command in ["check", "run", "doctor"]:
            ran = subprocess.run([site_of.CORDON, command, path], capture_output=True)
            self.assertEqual(ran.returncode, 2, ran.stderr)
            self.expect_clean(f"cordon {command}", ran.stdout + ran.stderr)

    def test_5_doctor_names_the_trouble_and_no_secret(self):
        ran = subprocess.run([site_of.CORDON, "doctor", "--json", self.site.path], capture_output=True)
        self.assertIn(b"camera wrong", ran.stdout)
        self.expect_clean("cordon doctor", ran.stdout + ran.stderr)

    def test_6_logs_and_files_hold_nothing(self):
        self.site.output.flush()
        with open(self.site.output.name, "rb") as file:
            lines = file.read()
        self.assertIn(b"camera=wrong", lines, "the log speaks of the cameras")
        self.expect_clean("the log", lines)
        for folder, _, names in os.walk(self.site.data):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        self.expect_clean(path, file.read())


if __name__ == "__main__":
    unittest.main(verbosity=2)
