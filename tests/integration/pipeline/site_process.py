# SPDX-License-Identifier: Apache-2.0
"""A whole site as its users run it: real RTSP camera, `cordon run`, HTTP. For the pipeline tests; nothing here sleeps to
synchronise, everything waits for a condition with a deadline."""
import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

SOURCE = os.environ.get("CORDON_SOURCE_DIR", ".")
CORDON = os.environ.get("CORDON_BINARY", "build/release/cli/cordon")
CLIP = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
SKIPPED = 77


def need(*paths):
    """Skips the whole test visibly when a file is missing."""
    for path in paths:
        if not os.path.exists(path):
            print(f"skipped: {path} is missing")
            sys.exit(SKIPPED)
    probe = subprocess.run(["/usr/bin/python3", "-c",
                            "import gi; gi.require_version('GstRtspServer', '1.0')"], capture_output=True)
    if probe.returncode != 0:
        print("skipped: python3-gi with gir1.2-gst-rtsp-server-1.0 is missing")
        sys.exit(SKIPPED)


def wait_for(what, condition, seconds):
    """The first true answer of condition(); fails by name when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)  # the poll's pace; correctness does not depend on it


class Camera:
    """GStreamer's RTSP server with one looping clip."""

    def __init__(self, clip=CLIP):
        cache = os.path.join(tempfile.gettempdir(), "cordon-test-encoded")
        self.process = subprocess.Popen([os.path.join(SOURCE, "deploy/demo/rtsp_camera.py"), "--cache", cache, "0",
                                         f"yard={clip}"], stdout=subprocess.PIPE, text=True)
        self.url = ""
        for line in self.process.stdout:
            if line.startswith("rtsp://"):
                self.url = line.strip()
            if line.strip() == "ready":
                return
        raise AssertionError("the RTSP server did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


SITE = """\
id: test
data_dir: {data}
console:
  listen: 127.0.0.1:0
dispatch:
  roads: demo
cameras:
{cameras}
"""
CAMERA = """\
  - id: {id}
    name: Yard
    url: {url}
    lat: {lat}
    lon: {lon}
    purpose: test
    retention_hours: 1
    pre_roll_s: 2
    post_roll_s: 2
    rules:
      - {{id: road-line, kind: line_crossing, line: ['0.55,0.30', '0.57,0.66'], rearm_s: 1}}
      - {{id: all, kind: intrusion, dwell_s: 0.5, rearm_s: 1}}
"""


def camera_block(identifier, url, place):
    return CAMERA.format(id=identifier, url=url, lat=place[0], lon=place[1])


def demo_city_centre():
    """Where the embedded city puts its cameras."""
    info = subprocess.run([CORDON, "roads", "info", "--json", demo_roads()], capture_output=True, text=True, check=True)
    west, south, east, north = json.loads(info.stdout)["bbox"]
    return (south + north) / 2, (west + east) / 2


def demo_roads():
    path = os.path.join(tempfile.gettempdir(), f"cordon-test-demo-{os.getpid()}.roads")
    if not os.path.exists(path):
        subprocess.run([CORDON, "roads", "demo", path], check=True, capture_output=True)
        atexit.register(os.unlink, path)
    return path


class Site:
    """`cordon run` on a site file; also knows its children's process ids."""

    def __init__(self, folder, cameras):
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.path = os.path.join(folder, "site.yaml")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(SITE.format(data=self.data, cameras=cameras))
        self.process = None
        self.output = open(os.path.join(folder, "output.txt"), "ab")

    def start(self, *options):
        """`options` go before the subcommand: those of the log."""
        self.process = subprocess.Popen([CORDON, *options, "run", self.path, "--print-alerts"], stdout=self.output,
                                        stderr=self.output)
        wait_for("the console answers", self.healthy, 60)

    def url(self):
        try:
            with open(os.path.join(self.data, "console.url"), encoding="utf-8") as file:
                return file.read().strip()
        except FileNotFoundError:
            return ""

    def get(self, path):
        with urllib.request.urlopen(self.url() + path, timeout=10) as reply:
            return reply.read()

    def get_json(self, path):
        return json.loads(self.get(path))

    def healthy(self):
        if self.process.poll() is not None:
            raise AssertionError(f"cordon run ended with {self.process.returncode}: {self.tail()}")
        if not self.url():
            return False
        try:
            return self.get("/healthz") is not None
        except OSError:
            return False

    def children(self):
        """name -> pid, from the command lines of the supervisor's children."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read().decode().split("\0")
            except OSError:
                continue
            if parent != self.process.pid:
                continue
            if "dispatch" in words:
                found["dispatch"] = int(pid)
            elif "--id" in words:
                found[words[words.index("--id") + 1]] = int(pid)
        return found

    def kill(self, name):
        pid = self.children().get(name)
        if pid:
            os.kill(pid, signal.SIGKILL)
        return pid

    def tail(self):
        self.output.flush()
        with open(self.output.name, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-30:])

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        return self.process.returncode
