#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Records the captures in this folder with the lab: one transfer each, over real Linux stacks, captured where the
# sender's own tcpdump would be. `slowpath lab list` has many more.
#
# usage: record.sh [FOLDER]     into this folder, or into FOLDER
#
# Needs what `slowpath lab` needs, and gzip. SLOWPATH names the program (default: the release build).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(realpath "${1:-$here}")
slowpath=${SLOWPATH:-$here/../build/release/slowpath}

# record NAME SCENARIO [options of lab record]
record() {
  local name=$1 scenario=$2
  shift 2
  "$slowpath" lab record "$scenario" --out "$work/$name" --seed 1 "$@" >/dev/null
  gzip -9 -n <"$work/$name/server.pcapng" >"$folder/$name.pcapng.gz"
  echo "$folder/$name.pcapng.gz"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
record healthy healthy-large-sends --snap 96
record slow-reader slow-reader --set size=10MiB
record window-scaling-off window-scaling-off --set size=5MiB
record random-loss random-loss --set size=4MiB
record broken-lso broken-lso --set size=20MiB --snap 96
