#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A route's metric that shall last, where systemd-networkd has the interface in hand: a real networkd,
# in namespaces of its own, takes the drop-in when it is started anew, and not once it is undone.
set -euo pipefail
networkd=/lib/systemd/systemd-networkd
if [[ ${1-} != inside ]]; then
  here=$(dirname "$0")
  # shellcheck source=tests/lab/can_run.sh
  . "$here/../lab/can_run.sh"
  [[ -x $networkd ]] || skip "needs $networkd"
  getent passwd systemd-network > /dev/null || skip "needs the user systemd-network"
  unshare --net --mount true || skip "needs a root file system that is a mount point"
  exec unshare --net --mount bash "$0" inside
fi

check() { if "${@:2}"; then echo "ok: $1"; else echo "FAILED: $1"; ip route; exit 1; fi; }
is_there() { [[ $(ip route show 10.9.0.9) == *"via 10.1.0.254 dev v0 proto 83"*"initcwnd 30"* ]]; }
is_gone() { [[ -z $(ip route show 10.9.0.9) ]]; }
state() { echo "/run/systemd/netif/links/$(< /sys/class/net/v0/ifindex)"; }

start() {
  "$networkd" 2> "$scratch/log" &
  pid=$!
  for ((tenth = 0; tenth < 300; ++tenth)); do
    if grep -qs ^NETWORK_FILE= "$(state)" && [[ -n $(ip route show default) ]]; then return; fi
    sleep 0.1
  done
  cat "$scratch/log"
  echo "systemd-networkd does not start here, or gets no lease"
  # Once it has, it can.
  exit "$unable"
}

# As after a restart of the machine: nothing of what was configured is left.
stop() {
  kill "$pid"
  wait "$pid" || true
  ip addr flush dev v0
  ip route flush dev v0
  rm -f "$(state)"
}

scratch=$(mktemp -d)
trap 'kill "$pid" 2> /dev/null || true; rm -rf "$scratch"' EXIT
mount --make-rprivate /
mount -t tmpfs none /etc/systemd/network
mount -t tmpfs none /run/systemd
# networkd does not wait for udev where it cannot write there.
mount -t sysfs -o ro none /sys
mkdir -p /run/systemd/netif/links /run/systemd/netif/leases
chown -R systemd-network:systemd-network /run/systemd/netif
ip link set lo up
ip link add v0 type veth peer name v1
ip link set v1 up
printf '[Match]\nName=v0\n[Network]\nAddress=10.1.0.1/24\n[Route]\nGateway=10.1.0.254\n' \
  > /etc/systemd/network/10-v0.network
export SLOWPATH_JOURNAL=$scratch/journal

unable=77
start
unable=1
"$SLOWPATH_PROGRAM" fix apply 'ip route replace 10.9.0.9 dev v0 initcwnd 30' --persist
check "the step makes the route" is_there
check "a drop-in is written" test -e /etc/systemd/network/10-v0.network.d/90-slowpath-1.conf
stop
check "a restart takes it away" is_gone
start
for ((tenth = 0; tenth < 100; ++tenth)); do if is_there; then break; fi; sleep 0.1; done
check "networkd makes it again" is_there
check "networkd understands all of the drop-in" bash -c '! grep -i "unknown\|ignoring" "$1"' - "$scratch/log"
refusal=$("$SLOWPATH_PROGRAM" fix apply 'ip route change default dev v0 initcwnd 20' --persist 2>&1) || true
check "a route of the file itself: $refusal" \
  grep -q "add 'InitialCongestionWindow=20' to its section" <<< "$refusal"
"$SLOWPATH_PROGRAM" fix undo 1
check "undo takes the route away" is_gone
check "and the drop-in, with its folder" test ! -e /etc/systemd/network/10-v0.network.d
stop
start
sleep 1
check "and it does not come back" is_gone
stop

# The same where DHCP brings address and gateway: what networkd itself serves at the other end.
printf '[Match]\nName=v0\n[Network]\nDHCP=ipv4\n' > /etc/systemd/network/10-v0.network
printf '[Match]\nName=v1\n[Network]\nAddress=10.1.0.254/24\nDHCPServer=yes\n[DHCPServer]\nEmitDNS=no\n' \
  > /etc/systemd/network/10-v1.network
is_there() { [[ $(ip route show 10.9.0.9) == *"via 10.1.0.254 dev v0 "*"initcwnd 30"* ]]; }
unable=77
start
unable=1
check "DHCP brings the default route" bash -c '[[ $(ip route show default) == *"proto dhcp"* ]]'
"$SLOWPATH_PROGRAM" fix apply 'ip route replace 10.9.0.9 dev v0 initcwnd 30' --persist
check "the step makes the route beside DHCP's" is_there
stop
check "a restart takes it away again" is_gone
start
for ((tenth = 0; tenth < 300; ++tenth)); do if is_there; then break; fi; sleep 0.1; done
check "networkd makes it again once there is a lease" is_there
check "networkd takes every word of it" \
  bash -c '! grep -i "unknown\|ignoring\|could not set" "$1"' - "$scratch/log"
"$SLOWPATH_PROGRAM" fix undo --all
check "undo takes the route of the lease away" is_gone
check "and that drop-in, with its folder" test ! -e /etc/systemd/network/10-v0.network.d
