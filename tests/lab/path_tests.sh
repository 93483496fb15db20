#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Faults of the lab found by `slowpath test` alone: the server's end in one host, the test in the
# other, and no capture. A healthy path names none.
here=$(dirname "$0")
# shellcheck source=tests/lab/can_run.sh
source "$here/can_run.sh"
command -v nsenter >/dev/null || skip "needs nsenter"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/inside.sh" <<'INSIDE'
#!/bin/bash
# In the host that tests; FAR names the variable with the other's namespace.
# --user root keeps what raw sockets need: fragments are sent out of order by either end.
nsenter --net="${!FAR}" "$SLOWPATH_PROGRAM" serve --open --user root -q 2>/dev/null >/dev/null &
far=$!
eval "$BEFORE"
# Every listener is there: the far end's, and what BEFORE started.
for _ in $(seq 600); do
  [[ $(nsenter --net="${!FAR}" cat /proc/net/tcp /proc/net/tcp6 | grep -c ' 0A ') -lt $LISTENERS ]] || break
  sleep 0.1
done
# shellcheck disable=SC2086
"$SLOWPATH_PROGRAM" test "$TARGET" $WHAT --json -q >"$FOLDER/answer.json"
kill "$far" $(jobs -p) 2>/dev/null
wait "$far" 2>/dev/null
INSIDE
chmod +x "$folder/inside.sh"
cat >"$folder/deaf.py" <<'DEAF'
import socket, time
listener = socket.create_server(("10.1.0.1", 8080), backlog=1)
time.sleep(600)
DEAF

failed=0
before=:
listeners=1
# The rule that a case is about: named among the findings, or silent because the machine had no rest.
rule=
knows_rule() {
  [[ -z $rule ]] || python3 - "$lane/answer.json" "$rule" <<'KNOWS'
import json, sys
text = open(sys.argv[1]).read()
named = [finding["fault"] for finding in json.loads(text)["findings"]]
sys.exit(0 if sys.argv[2] in named or "processors had hardly any rest" in text else 1)
KNOWS
}
# try SCENARIO HOST FAR TARGET "OPTIONS" VERDICT...
try() {
  local scenario=$1 host=$2 verdict
  rm -f "$lane/answer.json"
  LISTENERS=$listeners DEAF=$folder/deaf.py BEFORE=$before FOLDER=$lane FAR=$3 TARGET=$4 WHAT=$5 \
    SHELL=$folder/inside.sh timeout 300 "$SLOWPATH_PROGRAM" lab shell "$scenario" --host "$host" >"$lane/log" 2>&1
  shift 5
  verdict=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["verdict"])' \
    "$lane/answer.json" 2>/dev/null || echo "no answer")
  printf '%-30s %s\n' "$scenario" "$verdict"
  [[ " $* " == *" $verdict "* ]] && knows_rule && return
  printf '  expected: %s%s\n' "$*" "${rule:+, with $rule among the findings}"
  [[ $verdict == "no answer" ]] && tail -5 "$lane/log"
  failed=1
}

sizes() {
  try healthy client SERVER 10.1.0.1 --mtu healthy
  try path-mtu-reported client SERVER 10.1.0.1 --mtu healthy
  try path-mtu-black-hole client SERVER 10.1.0.1 --mtu pmtud-blackhole
  try jumbo-through-small-switch client SERVER 10.1.0.1 --mtu jumbo-mismatch
  try bogus-icmp-mtu client SERVER 10.1.0.1 --mtu icmp-bogus-mtu
}
fragments_and_headers() {
  try fragments-dropped client SERVER 10.1.0.1 --mtu fragments-dropped
  try late-fragments-dropped server CLIENT 10.1.0.2 --mtu fragments-ooo-dropped
  try late-fragments-dropped client SERVER 10.1.0.1 --mtu fragments-ooo-dropped
  try broken-lso client SERVER 10.1.0.1 --mtu lso-not-segmented
  try s4-gateway-icmp client SERVER 10.1.0.1 --mtu icmp-fragneeded-coalesced
  try window-scale-stripped client SERVER 10.1.0.1 --middlebox wscale-stripped
  try idle-connection-forgotten client SERVER 10.1.0.1 "--idle 6s" idle-nat-drop
}
# These load neither processors nor path, and mostly wait: two lanes at once, each with its files.
lane=$folder/beside
mkdir "$lane"
(sizes; exit "$failed") >"$lane/said" &
beside=$!
lane=$folder
fragments_and_headers
wait "$beside" || failed=1
cat "$folder/beside/said"

# A limit that drops what exceeds it, one that queues after a credit, and links that only queue. Where the machine has no
# rest the program says that it cannot tell.
rule=policer
try policer client SERVER 10.1.0.1 --latency policer unclear
rule=
try bufferbloat client SERVER 10.1.0.1 --latency bufferbloat unclear
rule=shaper
try shaper client SERVER 10.1.0.1 --latency healthy bufferbloat unclear
# shellcheck disable=SC2016  # expanded inside
before='nsenter --net="$SERVER" tc qdisc add dev eth0 root tbf rate 20mbit burst 400kb limit 300kb'
try healthy client SERVER 10.1.0.1 --latency shaper bufferbloat unclear
rule=

# Many short connections: a program that accepts none, and a host without ports. 300 a second are few enough for any.
# shellcheck disable=SC2016
before='nsenter --net="$SERVER" python3 "$DEAF" &'
listeners=2
try healthy client SERVER 10.1.0.1 "--churn 50 --tcp-port 8080" accept-queue-overflow
listeners=1
before='echo "40000 40200" >/proc/sys/net/ipv4/ip_local_port_range'
try healthy client SERVER 10.1.0.1 "--churn 300" ephemeral-exhausted
before=:
try healthy client SERVER 10.1.0.1 "--churn 300" healthy
exit "$failed"
