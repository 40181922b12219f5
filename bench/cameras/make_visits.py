#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Test clips for adaptive decode: a quiet scene with short visits at random moments, made from real footage.

    make_visits.py VIDEO_FOLDER OUT_FOLDER [--gops 25,50,100] [--visits 24]

Takes two clips of intel-iot-devkit/sample-videos (CC BY 4.0): a quiet stretch of each is played to and fro, visits (a person, a
bicycle, a car; each from empty picture to empty picture, played faster so that it lasts 1 to 2 s) are cut in. Sensor noise is
added before encoding. 640x360 at 25 fps, one clip per source and key frame interval. The seed is fixed.
"""
import argparse
import os
import random
import subprocess

WIDTH, HEIGHT = 640, 360
FRAME = WIDTH * HEIGHT * 3 // 2
# source: frames per second, quiet stretch, visits (from, to, step in source pictures); seconds of the source
SOURCES = {
    "yard": ("intel-person-bicycle-car-detection.mp4", 12, (22.0, 24.5),
             [(8.4, 15.4, 2), (16.0, 18.7, 1), (8.4, 15.4, 3), (24.3, 36.2, 4)]),
    "hall": ("intel-one-by-one-person-detection.mp4", 10, (47.0, 49.4),
             [(16.9, 21.6, 1), (42.2, 46.8, 1), (4.6, 16.0, 3)]),
}


def pictures(path, rate, begin, end):
    raw = subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-ss", str(begin), "-t", str(end - begin), "-i", path,
                          "-vf", f"fps={rate},scale={WIDTH}:{HEIGHT}", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"],
                         capture_output=True, check=True).stdout
    return [raw[i:i + FRAME] for i in range(0, len(raw) - FRAME + 1, FRAME)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos")
    parser.add_argument("out")
    parser.add_argument("--gops", default="25,50,100")
    parser.add_argument("--visits", type=int, default=24)
    parser.add_argument("--noise", type=int, default=4)
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    for name, (file, rate, still, visits) in SOURCES.items():
        path = os.path.join(options.videos, file)
        quiet = pictures(path, rate, *still)
        quiet = quiet + quiet[-2:0:-1]
        cuts = [pictures(path, rate, begin, end)[::step] for begin, end, step in visits]
        for gop in options.gops.split(","):
            random.seed(7)
            target = os.path.join(options.out, f"{name}-g{gop}.mp4")
            if os.path.exists(target):
                continue
            encoder = subprocess.Popen(
                ["nice", "ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s",
                 f"{WIDTH}x{HEIGHT}", "-r", "25", "-i", "-", "-vf", f"noise=alls={options.noise}:allf=t", "-pix_fmt", "yuv420p",
                 "-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", gop, "-keyint_min", gop, "-sc_threshold", "0",
                 "-threads", "1", target], stdin=subprocess.PIPE)
            position = 0
            for _ in range(options.visits):
                for _ in range(25 * 7 + random.randrange(25 * 5)):
                    encoder.stdin.write(quiet[position % len(quiet)])
                    position += 1
                for picture in random.choice(cuts):
                    encoder.stdin.write(picture)
            for _ in range(25 * 5):
                encoder.stdin.write(quiet[position % len(quiet)])
                position += 1
            encoder.stdin.close()
            encoder.wait()


if __name__ == "__main__":
    main()
