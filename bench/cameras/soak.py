#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many full HD cameras for minutes: what is lost, and whether memory stays flat.

    bench/cameras/soak.py [--cameras 64] [--minutes 10] [--scene quiet] [--udp] [--json FILE]

Serves a scene of run.py (1920x1080, 25 fps, H.264, key frame every 50) at as many addresses as there are cameras and runs all of them
in one process as a node does, adaptive, everything on. Prints, with the budget: RTP packets lost, pictures dropped and what the kernel
dropped at sockets, and resident memory beside the packet rings per camera after each minute; the first fills the rings. Flat is what
does not grow in the second half. 1 when a budget is missed. It needs the machine for itself: with other work the server does not keep
its rate.
"""
import argparse
import json
import os
import signal
import subprocess
import sys

from run import ROOT, scene

MOST_MIB_PER_CAMERA = 25e6 / 2**20
# What may come and go with the moment; a leak of one picture in ten cameras is more.
MOST_GROWTH_MIB_PER_CAMERA = 0.3
KERNEL_DROPS = {"TcpExt": ("TCPRcvQDrop", "TCPBacklogDrop", "RcvPruned", "OfoPruned"), "Udp": ("RcvbufErrors", "InErrors")}


def kernel_drops():
    """What the kernel threw away for want of room in receive buffers, all sockets of this network namespace."""
    total = 0
    for path in ("/proc/net/netstat", "/proc/net/snmp"):
        with open(path, encoding="ascii") as file:
            lines = file.read().splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            group = names.split(":")[0]
            figures = dict(zip(names.split()[1:], values.split()[1:]))
            total += sum(int(figures.get(name, 0)) for name in KERNEL_DROPS.get(group, ()))
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"))
    parser.add_argument("--videos", default=os.environ.get("CORDON_TEST_DATA", os.path.join(ROOT, "../shared")) + "/video")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/cordon/bench"))
    parser.add_argument("--cameras", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--scene", default="quiet")
    parser.add_argument("--threads", type=int, default=2, help="of analysis (2)")
    parser.add_argument("--udp", action="store_true", help="RTP over UDP; default: inside the RTSP connection")
    parser.add_argument("--json", help="write all figures here as well")
    options = parser.parse_args()
    clip = scene(options.scene, options.videos, options.cache)
    server = subprocess.Popen([os.path.join(ROOT, "deploy/demo/rtsp_camera.py"), "--fps", "25", "0"] +
                              [f"camera{i}={clip}" for i in range(options.cameras)], stdout=subprocess.PIPE, text=True)
    urls = [server.stdout.readline().strip() for _ in range(options.cameras)]
    server.stdout.readline()
    dropped = kernel_drops()
    seconds = options.minutes * 60
    warm_up = min(60, seconds / 2)
    command = [os.path.join(options.build, "bench/cameras/camera_cost"), "--decode", "adaptive", "--warm-up", str(int(warm_up)),
               "--seconds", str(int(seconds - warm_up)), "--threads", str(options.threads)]
    text = subprocess.run(command + (["--udp"] if options.udp else []) + urls, stdout=subprocess.PIPE, text=True, check=True).stdout
    server.send_signal(signal.SIGTERM)
    server.wait()
    figures = json.loads(text.strip().splitlines()[-1])
    figures["kernel_drops"] = kernel_drops() - dropped
    memory = figures["rss_beside_ring_mib_per_camera"]
    half, last = memory[(len(memory) - 1) // 2], memory[-1]
    lost = figures["lost_packets"] + figures["dropped_pictures"] + figures["kernel_drops"] + figures["reconnects"]
    checks = [
        (f"{figures['live']} of {options.cameras} cameras live at {figures['received_fps']:.1f} fps", figures["live"] ==
         options.cameras and figures["received_fps"] > 24),
        (f"RTP packets lost {figures['lost_packets']:.0f}, pictures dropped {figures['dropped_pictures']:.0f}, kernel drops "
         f"{figures['kernel_drops']}, reconnects {figures['reconnects']} (budget 0)", lost == 0),
        (f"resident memory beside the rings: {last:.1f} MiB per camera (budget {MOST_MIB_PER_CAMERA:.1f} MiB, 25 MB)", last <= MOST_MIB_PER_CAMERA),
        (f"... after each minute {' '.join(f'{mib:.2f}' for mib in memory)}: {last - half:+.2f} in the second half (flat: at most "
         f"{MOST_GROWTH_MIB_PER_CAMERA})",
         last - half <= MOST_GROWTH_MIB_PER_CAMERA),
    ]
    print(f"{options.cameras} cameras, {options.minutes:g} minutes, {figures['cpu_percent_per_camera']:.2f} % of a core per camera")
    for line, met in checks:
        print(f"  {line}: {'met' if met else 'MISSED'}")
    if options.json:
        with open(options.json, "w", encoding="ascii") as file:
            json.dump(figures, file, indent=1)
    sys.exit(0 if all(met for _, met in checks) else 1)


if __name__ == "__main__":
    main()
