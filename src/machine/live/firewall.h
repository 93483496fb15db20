// SPDX-License-Identifier: Apache-2.0
// The rules of nf_tables, those of iptables-nft among them, by netlink; needs cap_net_admin. The
// tables of iptables-legacy are only seen to be there: then nothing is said to pass.
#pragma once

#include "facts/machine.h"
#include "machine/live/host_files.h"

namespace slowpath::machine {

/// Adds what the rules mean as settings (firewall/report.h), or why they were not read.
void read_firewall(const HostFiles& files, MachineFacts& machine);

}  // namespace slowpath::machine
