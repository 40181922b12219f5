#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages of deploy/packages.txt that are missing, by name.
# usage: deploy/install.sh build demo test     (the groups wanted; default: all)
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -gt 0 ]; then groups=("$@"); else groups=(build demo test); fi

missing=()
while read -r group name _; do
  [[ " ${groups[*]} " == *" $group "* ]] || continue
  dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
done < <(grep -v '^#' deploy/packages.txt)

# The page needs Node.js 18 or later; any installation of it will do.
node_major=$(node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/' || true)
if [[ " ${groups[*]} " == *" build "* ]]; then
  [ "${node_major:-0}" -ge 18 ] || missing+=(nodejs)
  command -v npm >/dev/null || missing+=(npm)
fi

[ ${#missing[@]} -eq 0 ] && exit 0
echo "==> installing ${#missing[@]} Debian packages: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "install.sh: run as root, or install sudo, or install by hand: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -q
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"
