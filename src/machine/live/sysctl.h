// SPDX-License-Identifier: Apache-2.0
// The settings of the network stack, from the files of /proc/sys: those that TCP, IP, the receive
// path and connection tracking depend on. Keys and secrets are not among them.
#pragma once

#include <string>
#include <string_view>

#include "facts/machine.h"
#include "machine/live/host_files.h"

namespace slowpath::machine {

/// Runs of white space become one space: "4096\t131072\t6291456\n" is "4096 131072 6291456".
std::string sysctl_value(std::string_view text);
/// "/proc/sys/net/ipv4/conf/eth0.5/rp_filter" is "net.ipv4.conf.eth0/5.rp_filter", as sysctl(8)
/// says.
std::string sysctl_key(std::string_view path);

/// Fills machine.settings and machine.congestion_controls.
void read_sysctls(const HostFiles& files, MachineFacts& machine);

}  // namespace slowpath::machine
