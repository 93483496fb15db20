#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes a new detector and its scenarios from the templates beside this script: new_detector.sh ID
# Overwrites nothing. `./dev new-detector` checks the shape of ID.
set -euo pipefail
id=$1
name=${id//-/_}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! grep -rqF "\"$id\"" src/facts/catalogue; then
  printf 'new-detector: %s is not in the catalogue: add it to src/facts/catalogue/ first\n' "$id" >&2
  exit 1
fi

# write TEMPLATE TARGET
write() {
  if [[ -e $2 ]]; then
    printf 'kept     %s\n' "$2"
    return
  fi
  mkdir -p "$(dirname "$2")"
  sed -e "s/@ID@/$id/g" -e "s/@NAME@/$name/g" "$1" >"$2"
  printf 'written  %s\n' "$2"
}

write tools/templates/detector.cc "src/detect/detectors/$name.cc"
for scenario in fires silent_near_miss damaged_capture; do
  write "tools/templates/$scenario.scn" "tests/scenarios/$id/$scenario.scn"
done
