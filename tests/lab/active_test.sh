#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The five stories by active test alone: no capture is taken. S0 by fetch is tests/fetch/story_s0.sh; here its bytes are
# proved by slowpath test. Only what cannot depend on the machine's speed.
set -euo pipefail
# shellcheck source=tests/lab/can_run.sh
source "$(dirname "${BASH_SOURCE[0]}")/can_run.sh"
command -v nsenter >/dev/null || skip "needs nsenter (util-linux)"

# shellcheck disable=SC2016  # expanded by the shell inside the lab's host
inside='
nsenter --net="$SERVER" "$SLOWPATH_PROGRAM" serve --open >/dev/null 2>"$READY" &
server=$!
trap "kill $server" EXIT
for _ in $(seq 600); do grep -q "serving on" "$READY" && break; sleep 0.1; done
"$SLOWPATH_PROGRAM" test 10.1.0.1 $WHAT -q --json
'
READY=$(mktemp)
export READY
trap 'rm -f "$READY"' EXIT

# story NAME SCENARIO "OPTIONS" CONDITION: of the document, in Python.
story() {
  : >"$READY"
  WHAT=$3 "$SLOWPATH_PROGRAM" lab shell "$2" -- bash -c "$inside" | python3 -c "
import json, sys
test = json.load(sys.stdin)
flow = test['runs'][0]['flows'][0] if 'runs' in test else None
print('$1:', test['verdict'], '-', test['summary'])
sys.exit(0 if $4 else 1)"
}

download='-R -t 4 --no-ceiling'
story S0 s0-corrupted-download "$download" \
  "test['verdict'] == 'payload-altered-csum-good' and flow['integrity']['places']"
story S1 broken-lso --mtu "test['verdict'] == 'lso-not-segmented'"
story S2 S2 "$download" "test['verdict'] == 'wscale-absent'"
# Both halves of S3: checksums that were never completed, which the receiving host counts; and a receiver that takes bad
# ones for good, so that the bytes are wrong.
story 'S3, dropped' s3-bad-checksum "$download" \
  "test['verdict'] == 'csum-bad-on-arrival' and test['runs'][0]['client']['bad_checksums'] >= 10"
story 'S3, delivered' s3-unverified-checksum "$download" "test['verdict'] == 'payload-altered-csum-good'"
story S4 s4-gateway-icmp --mtu "test['verdict'] == 'icmp-fragneeded-coalesced'"
story 'S1 by its rate alone' broken-lso "$download" "test['verdict'] != 'healthy'"
story sound healthy "$download" "test['verdict'] == 'healthy'"
