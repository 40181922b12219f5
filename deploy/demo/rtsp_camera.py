#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Cameras for the demo, tests and benches: each serves a video file in an endless loop over RTSP at its real rate.

    rtsp_camera.py PORT NAME=FILE [NAME=FILE ...]        -> rtsp://127.0.0.1:PORT/NAME
    rtsp_camera.py --size 1920x1080 --fps 25 --gop 50 8554 gate=clip.mp4

PORT 0 takes a free one. One line per camera on stdout says its address; the line 'ready' follows when all can be opened.
Files are encoded once (H.264 or H.265 without B frames) into the cache folder; serving copies packets, which costs about
0.3 % of a core per camera. Ends cleanly on SIGTERM and SIGINT. Needs Debian's python3-gi, gir1.2-gst-rtsp-server-1.0,
gstreamer1.0-plugins-good and -bad, ffmpeg.
"""
import argparse
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

# An access unit delimiter begins each picture (the encoders are told to write them).
DELIMITERS = {"h264": b"\x00\x00\x00\x01\x09", "h265": b"\x00\x00\x00\x01\x46\x01"}


def probe_rate(path):
    """Pictures per second of the file's first video stream, as a fraction's value."""
    text = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=avg_frame_rate", "-of",
         "csv=p=0", path], capture_output=True, text=True, check=True).stdout.strip().split("\n")[0].strip(",")
    numerator, _, denominator = text.partition("/")
    return float(numerator) / float(denominator or 1)


def encoded(path, options):
    """Path of the elementary stream of `path`, made if it is not in the cache yet. Elementary streams with access unit
    delimiters and without B frames are served as they are."""
    if path.endswith("." + options.codec):
        return path
    status = os.stat(path)
    key = f"{os.path.abspath(path)} {status.st_size} {status.st_mtime_ns} {options.codec} {options.size} " \
          f"{options.fps} {options.gop} {options.bitrate} 1"
    name = os.path.splitext(os.path.basename(path))[0] + "-" + hashlib.sha256(key.encode()).hexdigest()[:16]
    target = os.path.join(options.cache, name + "." + options.codec)
    if os.path.exists(target):
        return target
    print(f"preparing {path} ...", file=sys.stderr, flush=True)
    os.makedirs(options.cache, exist_ok=True)
    command = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-i", path, "-an", "-pix_fmt", "yuv420p"]
    if options.size:
        command += ["-s", options.size]
    if options.fps:
        command += ["-r", str(options.fps)]
    rate = ["-b:v", options.bitrate, "-maxrate", options.bitrate, "-bufsize", options.bitrate] if options.bitrate else []
    if options.codec == "h264":
        command += ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", *rate, "-x264-params",
                    f"aud=1:repeat-headers=1:keyint={options.gop}:min-keyint={options.gop}:scenecut=0"]
    else:
        command += ["-c:v", "libx265", "-preset", "ultrafast", *rate, "-x265-params",
                    f"aud=1:repeat-headers=1:bframes=0:keyint={options.gop}:min-keyint={options.gop}:scenecut=0:"
                    "log-level=none"]
    container = "h264" if options.codec == "h264" else "hevc"
    partial = f"{target}.{os.getpid()}"
    subprocess.run(command + ["-f", container, partial], check=True)
    os.replace(partial, target)
    return target


def split_pictures(path, codec):
    with open(path, "rb") as file:
        data = file.read()
    delimiter = DELIMITERS[codec]
    starts = []
    at = data.find(delimiter)
    while at >= 0:
        starts.append(at)
        at = data.find(delimiter, at + 1)
    return [data[a:b] for a, b in zip(starts, starts[1:] + [len(data)])]


class Camera(GstRtspServer.RTSPMediaFactory):
    """One mount point. All viewers share one pipeline, as with a real camera; it plays on while anybody watches."""

    def __init__(self, name, pictures, rate, codec):
        super().__init__()
        self.name, self.pictures, self.rate = name, pictures, rate
        self.next_picture = 0
        self.set_shared(True)
        self.set_launch(
            f"( appsrc name=source is-live=true format=time max-bytes=4000000 leaky-type=downstream "
            f"caps=video/x-{codec},stream-format=byte-stream,alignment=au "
            f"! {codec}parse config-interval=-1 ! rtp{codec}pay name=pay0 pt=96 mtu=1400 config-interval=-1 )")
        self.connect("media-configure", self.start)

    def start(self, _factory, media):
        stop = threading.Event()
        source = media.get_element().get_child_by_name("source")
        media.connect("unprepared", lambda _media: stop.set())
        threading.Thread(target=self.play, args=(source, stop), daemon=True, name=self.name[:15]).start()

    def play(self, source, stop):
        begin = time.monotonic()
        sent = 0
        while not stop.is_set():
            wait = begin + sent / self.rate - time.monotonic()
            if wait > 0 and stop.wait(wait):
                return
            buffer = Gst.Buffer.new_wrapped(self.pictures[self.next_picture])
            buffer.pts = buffer.dts = int(sent / self.rate * Gst.SECOND)
            buffer.duration = int(Gst.SECOND / self.rate)
            if source.emit("push-buffer", buffer) == Gst.FlowReturn.EOS:
                return
            sent += 1
            self.next_picture = (self.next_picture + 1) % len(self.pictures)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("cameras", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--codec", choices=["h264", "h265"], default="h264")
    parser.add_argument("--size", help="WIDTHxHEIGHT; default: the file's")
    parser.add_argument("--fps", type=float, help="default: the file's")
    parser.add_argument("--gop", type=int, default=25, help="pictures from key frame to key frame (25)")
    parser.add_argument("--bitrate", help="such as 4M; default: constant quality")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--cache", default=os.path.join(
        os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "cordon", "rtsp"))
    parser.add_argument("--prepare-only", action="store_true", help="fill the cache and end")
    options = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(options.address)
    server.set_service(str(options.port))
    server.get_session_pool().set_max_sessions(4096)
    names = []
    loaded = {}
    for camera in options.cameras:
        name, _, path = camera.partition("=")
        if not path or not os.path.isfile(path):
            sys.exit(f"rtsp_camera.py: {camera}: write NAME=FILE with a file that exists")
        if path not in loaded:
            stream = encoded(path, options)
            loaded[path] = (split_pictures(stream, options.codec), options.fps or probe_rate(path))
        pictures, rate = loaded[path]
        server.get_mount_points().add_factory("/" + name, Camera(name, pictures, rate, options.codec))
        names.append(name)
    if options.prepare_only:
        return
    if server.attach(None) == 0:
        sys.exit(f"rtsp_camera.py: port {options.port} is taken; choose another")
    for name in names:
        print(f"rtsp://{options.address}:{server.get_bound_port()}/{name}", flush=True)
    print("ready", flush=True)
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    # Sessions of viewers that went away without a word.
    GLib.timeout_add_seconds(5, lambda: server.get_session_pool().cleanup() >= 0)
    loop.run()


if __name__ == "__main__":
    main()
