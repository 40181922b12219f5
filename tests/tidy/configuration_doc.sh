#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/configuration.md is what `cordon check --describe` prints. usage: configuration_doc.sh CORDON ROOT
set -euo pipefail
"$1" check --describe | diff -u "$2/docs/configuration.md" - ||
  { echo "docs/configuration.md differs from the schema; run: cordon check --describe > docs/configuration.md"; exit 1; }
