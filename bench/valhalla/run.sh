#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cordon against Valhalla on one extract, one machine, one run: time of a 1-3-5 minute isochrone and of a matrix from 200
# units to one scene, and how far the travel times agree. Valhalla's npm package is installed into BUILD, never into Cordon.
#
#   bench/valhalla/run.sh EXTRACT.osm.pbf VALHALLA_SIDE_BUILD CORDON_BUILD [ORIGINS=300] [SCENES=60]
#
# CORDON_BUILD is build/release (cmake --preset release -DCORDON_BUILD_BENCH=ON; targets valhalla_cordon_side, tile_roads).
set -euo pipefail
extract=$(realpath "$1"); build=$2; cordon_build=$(realpath "$3"); origins=${4:-300}; scenes=${5:-60}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$build"; cd "$build"

if [ ! -d node_modules/@valhallajs/valhallajs ]; then
  [ -f package.json ] || npm init -y > /dev/null
  npm install --no-audit --no-fund --save-exact @valhallajs/valhallajs@3.6.1
fi
if [ ! -f tiles.done ]; then
  rm -rf tiles
  npx valhalla build_config --mjolnir-tile-dir "$PWD/tiles" \
    --mjolnir-default-speeds-config "$here/default_speeds.json" \
    --service-limits-auto-max-matrix-location-pairs 100000 \
    --service-limits-auto-max-matrix-distance 4000000 > config.json
  npx valhalla build_tiles -c config.json "$extract" > build_tiles.log 2>&1 || { tail -5 build_tiles.log; exit 1; }
  touch tiles.done
fi
"$cordon_build/bench/roads/tile_roads" "$extract" city.roads 1
"$cordon_build/bench/valhalla/valhalla_cordon_side" city.roads queries.json cordon.json "$origins" "$scenes"
cp "$here/valhalla_side.mjs" "$here/compare.mjs" .
node valhalla_side.mjs config.json queries.json valhalla.json
node compare.mjs cordon.json valhalla.json
