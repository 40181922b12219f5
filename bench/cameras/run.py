#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a camera costs, beside its peers: CPU time from the operating system, paired in one run on the same RTSP streams.

    bench/cameras/run.py [--build build/release] [--videos FOLDER] [--seconds 20] [--scenes quiet,busy,mix] [--all] [--json FILE]

Streams: 1920x1080, 25 fps, H.264, key frame every 50 pictures, made once from shared footage with sensor noise:
  quiet  an empty yard, nobody comes        busy  people all the time (PETS 2009)
  mix    the yard, a person for 3.4 s of every 30 s (11 % busy)        small  the quiet yard at 640x360
  busy720  the busy one at 1280x720
Measured, one after the other for --seconds each (the mix for 60 s), all in under 6 minutes; 1 when a budget is missed:
  ffmpeg   ffmpeg -threads 1 -rtsp_transport tcp -i URL -f null -     (decode everything: the limit)
  motion   Debian's motion 4.5 with pass-through recording
  full     Cordon, every picture decoded, everything on
  adaptive Cordon, adaptive decode, everything on
"""
import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
YARD = "intel-person-bicycle-car-detection.mp4"
SIZES = {"small": (640, 360), "busy720": (1280, 720)}


def raw(path, rate, begin, end, size):
    width, height = size
    data = subprocess.run(
        ["ffmpeg", "-nostdin", "-loglevel", "error", "-ss", str(begin), "-t", str(end - begin), "-i", path, "-vf",
         f"fps={rate},scale={width}:{height}", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"], capture_output=True,
        check=True).stdout
    step = width * height * 3 // 2
    return [data[i:i + step] for i in range(0, len(data) - step + 1, step)]


# For each scene the programs that its budgets compare, and the budgets: text, measure, bound. Decode-only is ffmpeg's figure.
BUDGETS = {
    "quiet": (("ffmpeg", "motion", "adaptive"), [
        ("decode-only / adaptive, at least 6", lambda r: r["ffmpeg"] / r["adaptive"], lambda x: x >= 6),
        ("motion / adaptive, at least 10", lambda r: r["motion"] / r["adaptive"], lambda x: x >= 10)]),
    "busy": (("ffmpeg", "full"), [
        ("full / decode-only, at most 1.25", lambda r: r["full"] / r["ffmpeg"], lambda x: x <= 1.25)]),
    "busy720": (("ffmpeg", "full"), [
        ("full / decode-only, at most 1.3", lambda r: r["full"] / r["ffmpeg"], lambda x: x <= 1.3)]),
    "mix": (("ffmpeg", "adaptive"), [
        ("decode-only / adaptive, at least 4", lambda r: r["ffmpeg"] / r["adaptive"], lambda x: x >= 4)]),
    "small": (("adaptive",), [
        ("cameras per core, at least 100", lambda r: 100 / r["adaptive"], lambda x: x >= 100)]),
}
# The mix is one visit in every 30 s: whole rounds.
SHORTEST = {"mix": 60}

# Rate control settles on the first groups of pictures; they are not served, so that the loop has no visible seam.
LEAD_IN = 100


def encode(target, size, pictures):
    width, height = size
    part = target + ".part.h264"
    rate = "1M" if height < 720 else "4M"
    encoder = subprocess.Popen(
        ["nice", "ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s",
         f"{width}x{height}", "-r", "25", "-i", "-", "-vf", "noise=alls=3:allf=t", "-pix_fmt", "yuv420p", "-c:v", "libx264",
         "-preset", "superfast", "-bf", "0", "-crf", "25", "-maxrate", rate, "-bufsize", rate, "-x264-params",
         "aud=1:repeat-headers=1:keyint=50:min-keyint=50:scenecut=0", "-threads", "2", part], stdin=subprocess.PIPE)
    for picture in pictures[-LEAD_IN:] + pictures:
        encoder.stdin.write(picture)
    encoder.stdin.close()
    if encoder.wait() != 0:
        sys.exit("encoding failed")
    with open(part, "rb") as file:
        data = file.read()
    at = -1
    for _ in range(LEAD_IN + 1):
        at = data.find(b"\x00\x00\x00\x01\x09", at + 1)
    with open(part, "wb") as file:
        file.write(data[at:])
    os.replace(part, target)


def scene(name, videos, cache):
    target = os.path.join(cache, f"{name}-v4.h264")
    if os.path.exists(target):
        return target
    print(f"making the {name} scene ...", file=sys.stderr, flush=True)
    os.makedirs(cache, exist_ok=True)
    size = SIZES.get(name, (1920, 1080))
    if name in ("busy", "busy720"):
        people = raw(os.path.join(videos, "vtest.avi"), 10, 10, 22, size)
        people = people + people[-2:0:-1]
        encode(target, size, (people * 2)[:450])
        return target
    yard = os.path.join(videos, YARD)
    quiet = raw(yard, 12, 22.0, 24.5, size)
    quiet = quiet + quiet[-2:0:-1]
    visit = raw(yard, 12, 8.4, 15.4, size) if name == "mix" else []
    length = 750
    rest = (quiet * 20)[:(length - len(visit)) // len(quiet) * len(quiet)]
    pictures = rest + visit
    encode(target, size, pictures[:len(pictures) // 50 * 50])
    return target


def cpu_of(command, seconds, stop=signal.SIGTERM, **more):
    """CPU seconds of a command that is ended after `seconds`."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    time.sleep(seconds)
    process.send_signal(stop)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime


def motion(url, seconds):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "motion.conf"), "w", encoding="ascii") as file:
            file.write(f"netcam_url {url}\nwidth 1920\nheight 1080\nframerate 25\ntarget_dir {folder}\n"
                       "movie_output on\nmovie_passthrough on\npicture_output off\nwebcontrol_port 0\nstream_port 0\n"
                       "daemon off\nlog_level 3\n")
        return cpu_of(["motion", "-n", "-c", os.path.join(folder, "motion.conf")], seconds, cwd=folder)


def cordon(build, mode, urls, seconds, warm_up=6):
    text = subprocess.run([os.path.join(build, "bench/cameras/camera_cost"), "--decode", mode, "--seconds", str(seconds),
                           "--warm-up", str(warm_up)] + urls, stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(text.strip().splitlines()[-1])


def row_of(name, url, options):
    """What the programs that the scene's budget speaks of cost, % of one core per camera."""
    programs = ("ffmpeg", "motion", "full", "adaptive") if options.all else BUDGETS[name][0]
    seconds = max(options.seconds, SHORTEST.get(name, 0))
    row = {"scene": name, "seconds": seconds}
    if "ffmpeg" in programs:
        command = ["ffmpeg", "-nostdin", "-threads", "1", "-rtsp_transport", "tcp", "-i", url, "-f", "null", "-"]
        row["ffmpeg"] = 100 * cpu_of(command, seconds) / seconds
    if "motion" in programs:
        row["motion"] = 100 * motion(url, seconds) / seconds
    for mode in ("full", "adaptive"):
        if mode not in programs:
            continue
        figures = cordon(options.build, mode, [url], seconds)
        row[mode] = figures["cpu_percent_per_camera"]
        row[mode + "_details"] = figures
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--videos", default=os.environ.get("CORDON_TEST_DATA", os.path.join(ROOT, "../shared")) + "/video")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/cordon/bench"))
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--scenes", default=",".join(BUDGETS))
    parser.add_argument("--all", action="store_true", help="every program on every scene")
    parser.add_argument("--json", help="write all figures here as well")
    options = parser.parse_args()
    if subprocess.run(["which", "motion"], capture_output=True).returncode != 0:
        subprocess.run(["apt-get", "install", "-y", "motion"], check=True, stdout=subprocess.DEVNULL)
    clips = {name: scene(name, options.videos, options.cache) for name in options.scenes.split(",")}
    results = []
    missed = False
    print("% of a core per camera")
    for name, clip in clips.items():
        server = subprocess.Popen([os.path.join(ROOT, "deploy/demo/rtsp_camera.py"), "--fps", "25", "0", f"{name}={clip}"],
                                  stdout=subprocess.PIPE, text=True)
        url = server.stdout.readline().strip()
        server.stdout.readline()
        try:
            row = row_of(name, url, options)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
        results.append(row)
        print(f"{name:8}" + "".join(f"  {program} {row[program]:.2f}" for program in ("ffmpeg", "motion", "full", "adaptive")
                                    if program in row), flush=True)
        for text, measure, good in BUDGETS[name][1]:
            met = good(measure(row))
            missed = missed or not met
            print(f"{'':8}{text}: {measure(row):.2f}, {'met' if met else 'MISSED'}", flush=True)
    if options.json:
        with open(options.json, "w", encoding="ascii") as file:
            json.dump(results, file, indent=1)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
