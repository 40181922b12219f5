#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the operators' page into console/web/dist from the lock file, when its sources changed since the last time.
set -euo pipefail
cd "$(dirname "$0")/../console/web"
stamp=dist/.built-from
now=$(find . -path ./node_modules -prune -o -path ./dist -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && exit 0
echo "==> building the page (npm, from the lock file)"
npm ci --no-audit --no-fund --loglevel=error
npm run --silent build
echo "$now" > "$stamp"
