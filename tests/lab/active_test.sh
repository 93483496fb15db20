#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stories found by `slowpath test` alone, without a capture: a missing window scale (S2), a download that arrives
# changed (S0), and resends that a sound network does not need (S1). Only what cannot depend on the machine's speed.
set -euo pipefail
# shellcheck source=tests/lab/can_run.sh
source "$(dirname "${BASH_SOURCE[0]}")/can_run.sh"
command -v nsenter >/dev/null || skip "needs nsenter (util-linux)"

# shellcheck disable=SC2016  # expanded by the shell inside the lab's host
inside='
nsenter --net="$SERVER" "$SLOWPATH_PROGRAM" serve --open >/dev/null 2>"$READY" &
server=$!
trap "kill $server" EXIT
for _ in $(seq 100); do grep -q "serving on" "$READY" && break; sleep 0.1; done
"$SLOWPATH_PROGRAM" test 10.1.0.1 -R -t 4 --no-ceiling -q --json
'
READY=$(mktemp)
export READY
trap 'rm -f "$READY"' EXIT

# story SCENARIO CONDITION: of the document, in Python.
story() {
  : >"$READY"
  "$SLOWPATH_PROGRAM" lab shell "$1" -- bash -c "$inside" | python3 -c "
import json, sys
test = json.load(sys.stdin)
flow = test['runs'][0]['flows'][0]
print('$1:', test['verdict'], '-', test['summary'])
sys.exit(0 if $2 else 1)"
}

story S2 "test['verdict'] == 'wscale-absent'"
story s0-corrupted-download "test['verdict'] == 'payload-altered-csum-good' and flow['integrity']['places']"
story broken-lso "test['verdict'] != 'healthy'"
