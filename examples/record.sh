#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Records the captures in this folder: one download each, between two network namespaces with real Linux
# stacks. A host "server" sends, a host "client" reads; both are captured at the server.
#
# usage: record.sh [FOLDER] [NAME...]     all of them into this folder, or those named into FOLDER
#
# Needs root and tcpdump, iproute2, ethtool, gzip, python3. It touches only namespaces that it makes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(realpath "${1:-$here}")
[[ $# -eq 0 ]] || shift
only=("$@")

[[ $(id -u) == 0 ]] || { echo "record.sh: network namespaces need root" >&2; exit 4; }
for program in tcpdump ip ethtool gzip python3; do
  command -v "$program" >/dev/null || { echo "record.sh: $program is not installed" >&2; exit 4; }
done

# Names of our own, so that two runs and other namespaces do not meet.
server=slowpath-server-$$
client=slowpath-client-$$
wire=slowpath-wire-$$
server_address=10.77.0.1
client_address=10.77.0.2
port=9000
children=()

clean() {
  local child namespace
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  wait 2>/dev/null || true
  children=()
  for namespace in "$server" "$client" "$wire"; do ip netns del "$namespace" 2>/dev/null || true; done
}
trap clean EXIT

# settings NAMESPACE: nothing inherited from this machine may show in the capture.
settings() {
  ip netns exec "$1" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv4.tcp_no_metrics_save=1 \
    net.ipv4.tcp_rmem='4096 131072 6291456' net.ipv4.tcp_wmem='4096 16384 4194304' \
    net.ipv4.tcp_window_scaling=1 net.ipv4.tcp_sack=1 net.ipv4.tcp_timestamps=1
}

# host NAMESPACE INTERFACE ADDRESS
host() {
  ip -n "$1" addr add "$3/24" dev "$2"
  ip -n "$1" link set "$2" up
  settings "$1"
}

# connect_directly: one veth pair, offloads as the kernel sets them, and the server's link at 1 Gbit/s as
# a network card's would be: unlimited, the wire would be faster than any reader.
connect_directly() {
  ip netns add "$server"
  ip netns add "$client"
  ip -n "$server" link add eth0 type veth peer name eth0 netns "$client"
  host "$server" eth0 "$server_address"
  host "$client" eth0 "$client_address"
  ip netns exec "$server" tc qdisc add dev eth0 root tbf rate 1gbit burst 128kb limit 8mb
}

# connect_through_relay DELAY_MS LOSS SEED: two veth pairs and relay.py between them, offloads off.
connect_through_relay() {
  local namespace
  ip netns add "$server"
  ip netns add "$client"
  ip netns add "$wire"
  ip -n "$server" link add eth0 type veth peer name toserver netns "$wire"
  ip -n "$client" link add eth0 type veth peer name toclient netns "$wire"
  ip netns exec "$wire" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1
  for namespace in "$server" "$client"; do
    ip netns exec "$namespace" ethtool -K eth0 tx off tso off gso off gro off >/dev/null 2>&1
  done
  ip -n "$wire" link set toserver up
  ip -n "$wire" link set toclient up
  host "$server" eth0 "$server_address"
  host "$client" eth0 "$client_address"
  start relay ip netns exec "$wire" python3 "$here/relay.py" toserver toclient "$@"
}

# start NAME COMMAND...: in the background, until it has said that it is ready.
start() {
  local log=$work/$1.log
  shift
  "$@" >"$log" 2>&1 &
  children+=($!)
  for _ in {1..100}; do
    if grep -qE 'ready|listening' "$log"; then return; fi
    sleep 0.05
  done
  cat "$log" >&2
  echo "record.sh: not ready within 5 s: $*" >&2
  exit 1
}

# download NAME BYTES [client options]: captures the transfer at the server.
download() {
  local name=$1 bytes=$2 capturer
  shift 2
  start tcpdump ip netns exec "$server" tcpdump -i eth0 -s 96 -Z root --immediate-mode \
    -w "$work/$name.pcap" tcp
  capturer=${children[-1]}
  start server ip netns exec "$server" python3 "$here/transfer.py" serve $port "$bytes" cubic
  ip netns exec "$client" python3 "$here/transfer.py" fetch $server_address $port "$@" | sed "s/^/$name: /"
  sleep 1.5 # The last packets, and tcpdump's buffer.
  kill -INT "$capturer"
  wait "$capturer" || true
  gzip -9 -n <"$work/$name.pcap" >"$folder/$name.pcap.gz"
  grep -h 'dropped by kernel' "$work/tcpdump.log" | sed "s/^/$name: /"
}

# A LAN without a fault: super-frames and partial checksums are what a sender's capture shows.
record_healthy() {
  connect_directly
  download healthy $((64 << 20))
}

# The reader stops for 0.4 s after each 2 MiB: its buffer fills and the window closes.
record_slow-reader() {
  connect_directly
  download slow-reader $((16 << 20)) $((2 << 20)) 0.4
}

# Window scaling is off at the client: 64 KiB for each round trip of 20 ms is all that it can get.
record_window-scale-missing() {
  connect_through_relay 10 0 1
  ip netns exec "$client" sysctl -q -w net.ipv4.tcp_window_scaling=0
  download window-scale-missing $((5 << 20))
}

# One frame in 80 is lost between the hosts, round trip 20 ms.
record_lossy-path() {
  connect_through_relay 10 0.0125 7
  download lossy-path $((4 << 20))
}

work=$(mktemp -d)
trap 'clean; rm -rf "$work"' EXIT
((${#only[@]})) || only=(healthy slow-reader window-scale-missing lossy-path)
for name in "${only[@]}"; do
  declare -F "record_$name" >/dev/null || { echo "record.sh: no capture is called $name" >&2; exit 2; }
  "record_$name"
  clean
  if [[ -f $work/relay.log ]]; then sed -n "/lost/s/^/$name: /p" "$work/relay.log"; rm "$work/relay.log"; fi
done
