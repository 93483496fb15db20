# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced: ends the test as skipped, with the reason, where the lab cannot make networks.
skip() { printf '%s\n' "$*"; exit 77; }
[[ $(id -u) == 0 ]] || skip "needs root to make networks"
[[ -r /dev/net/tun && -w /dev/net/tun ]] || skip "needs /dev/net/tun (modprobe tun)"
for program in ip ethtool nft; do
  command -v "$program" >/dev/null || [[ -x /usr/sbin/$program ]] || skip "needs $program"
done
