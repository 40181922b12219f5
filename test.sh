#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds everything and runs all tests; ends with ctest's closing line.
# usage: ./test.sh [ctest arguments]      for example: ./test.sh -R bus
set -euo pipefail
cd "$(dirname "$0")"
case "${1:-}" in -h | --help) sed -n '3,5s/^# //p' "$0"; exit 0 ;; esac

deploy/install.sh build demo test
deploy/build-page.sh
cmake --preset release
cmake --build --preset release
# Tests marked RUN_SERIAL keep the machine to themselves; all others run two at a time.
ctest --preset release "$@"
