#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nothing is left of a run: after success, after SIGINT, and after SIGKILL and another run.
set -euo pipefail
# shellcheck source=tests/lab/can_run.sh
source "$(dirname "${BASH_SOURCE[0]}")/can_run.sh"

TMPDIR=$(mktemp -d)
export TMPDIR
interfaces_before=$(ip -o link | wc -l)
fail() { printf 'FAILED: %s\n' "$*"; exit 1; }

# nothing_left AFTER: no file in TMPDIR, no interface, no process.
nothing_left() {
  local files
  files=$(ls -A "$TMPDIR")
  [[ -z $files ]] || fail "$1: left in TMPDIR: $files"
  [[ $(ip -o link | wc -l) == "$interfaces_before" ]] || fail "$1: interfaces are left"
  ! pgrep -f "^$SLOWPATH_PROGRAM lab" >/dev/null || fail "$1: processes are left"
}

# start: a run in the background, under way when this returns; its number is in $run.
start() {
  "$SLOWPATH_PROGRAM" lab run broken-lso >"$1" 2>&1 &
  run=$!
  for _ in $(seq 600); do
    compgen -G "$TMPDIR/slowpath-lab-$run-*/broken/*.pcapng" >/dev/null && return
    sleep 0.1
  done
  fail "the run did not begin: $(cat "$1")"
}

log=$(mktemp -p /dev/shm 2>/dev/null || mktemp -p /tmp)
trap 'rm -rf "$TMPDIR" "$log"' EXIT

start "$log"
kill -INT "$run"
status=0
wait "$run" || status=$?
[[ $status == 130 ]] || fail "SIGINT: exit code $status, not 130: $(cat "$log")"
nothing_left "SIGINT"

start "$log"
kill -KILL "$run"
wait "$run" 2>/dev/null || true
compgen -G "$TMPDIR/slowpath-lab-$run-*" >/dev/null || fail "SIGKILL left nothing to find"
mkdir "$TMPDIR/slowpath-lab-not-ours"
"$SLOWPATH_PROGRAM" lab record healthy --set size=1MiB --out "$TMPDIR/kept" >/dev/null 2>"$log" ||
  fail "the run after SIGKILL: $(cat "$log")"
grep -q "removed what a killed run had left: .*slowpath-lab-$run-" "$log" || fail "not said: $(cat "$log")"
[[ -s $TMPDIR/kept/truth.json ]] || fail "no truth was recorded"
[[ -d $TMPDIR/slowpath-lab-not-ours ]] || fail "a folder of somebody else was removed"
rm -r "$TMPDIR/kept" "$TMPDIR/slowpath-lab-not-ours"
nothing_left "SIGKILL"
printf 'nothing was left\n'
