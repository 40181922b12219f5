#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds the release and runs the demo site: a real clip served as an RTSP camera, a node that
# analyses it, the dispatcher with moving patrols, and the page at http://localhost:8080. Ctrl-C ends all of it.
# usage: ./run.sh
set -euo pipefail
cd "$(dirname "$0")"
case "${1:-}" in -h | --help) sed -n '3,5s/^# //p' "$0"; exit 0 ;; esac

deploy/install.sh build demo
deploy/build-page.sh
[ -f build/release/build.ninja ] || { echo "==> configuring"; cmake --preset release > /dev/null; }
echo "==> building (the first time takes some minutes on two cores)"
cmake --build --preset release --target cordon -- --quiet
exec deploy/demo/run-demo.sh
