#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the demo site; everything it starts ends with it. Needs what ../../run.sh installs and builds.
#   CORDON_DEMO_PORT   port of the page (8080)
#   CORDON_DEMO_DATA   folder for what the demo writes (data/demo)
# Patrols and a person at the console are simulated: they send the nearest unit to a new incident and close it afterwards.
# Whoever is faster on the page takes an incident out of their hands.
set -euo pipefail
cd "$(dirname "$0")/../.."
cordon=build/release/cli/cordon
port=${CORDON_DEMO_PORT:-8080}
data=${CORDON_DEMO_DATA:-data/demo}
clip=/usr/share/doc/opencv-doc/examples/data/vtest.avi
mkdir -p "$data"
data=$(realpath "$data")

children=()
stop() {
  trap '' INT TERM
  for child in "${children[@]}"; do kill -TERM "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
}
trap stop EXIT
trap 'exit 0' INT TERM

# The camera: GStreamer's RTSP server on a free port; it prints its address, and "ready" once it answers.
ready="$data/camera.txt"
deploy/demo/rtsp_camera.py --cache "$data/encoded" 0 yard="$clip" > "$ready" &
children+=($!)
echo "==> starting the camera (the first start encodes its clip, about 20 s)"
for _ in $(seq 600); do
  grep -qx ready "$ready" && break
  kill -0 "${children[0]}" 2>/dev/null || { echo "run-demo: the RTSP server ended; see above" >&2; exit 1; }
  sleep 0.2
done
grep -qx ready "$ready" || { echo "run-demo: the RTSP server did not answer within 120 s" >&2; exit 1; }

sed -e "s|@CAMERA_URL@|$(grep -o "rtsp://[^ ]*" "$ready" | head -n1)|" -e "s|@DATA@|$data|" -e "s|@PORT@|$port|" \
  deploy/demo/site.yaml.in > "$data/site.yaml"
"$cordon" run "$data/site.yaml" --print-alerts &
children+=($!)
run=$!
for _ in $(seq 300); do
  curl -fs -o /dev/null "http://127.0.0.1:$port/healthz" 2>/dev/null && break
  kill -0 "$run" 2>/dev/null || { wait "$run"; exit $?; }
  sleep 0.1
done
"$cordon" simulate --roads "$data/demo.roads" --units 14 --seed 1 --operator \
  --to "http://127.0.0.1:$port" --quiet &
children+=($!)
echo "==> the page is at http://localhost:$port   (Ctrl-C ends everything)"
wait "$run"
