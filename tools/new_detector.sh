#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes a new detector and its tests from the templates beside this script: new_detector.sh ID
# Overwrites nothing. `./dev new-detector` checks the shape of ID.
set -euo pipefail
shopt -s nullglob
id=$1
name=${id//-/_}
test=$(sed -E 's/(^|-)([a-z0-9])/\U\2/g' <<<"$id")
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
  sed -e "s/@ID@/$id/g" -e "s/@NAME@/$name/g" -e "s/@TEST@/$test/g" "$1" >"$2"
  printf 'written  %s\n' "$2"
}

write tools/templates/detector.cc "src/detect/detectors/$name.cc"
write tools/templates/detector_test.cc "tests/unit/detect/${name}_test.cc"
for template in tools/templates/*.scn; do
  write "$template" "tests/scenarios/$id/$(basename "$template")"
done
