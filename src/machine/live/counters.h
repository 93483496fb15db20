// SPDX-License-Identifier: Apache-2.0
// The counters of the network stack: /proc/net/{snmp,snmp6,netstat,softnet_stat,sockstat,sockstat6,
// xfrm_stat} and connection tracking. Parsers take text and survive any; what is no number is left
// out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "facts/machine.h"
#include "machine/live/host_files.h"

namespace slowpath::machine {

using Counters = std::map<std::string, std::uint64_t>;

/// Pairs of lines "Tcp: InSegs OutSegs" and "Tcp: 12 34" (snmp, netstat) as TcpInSegs, TcpOutSegs.
Counters parse_counter_pairs(std::string_view text);
/// Lines "Ip6InReceives  1220" (snmp6, xfrm_stat).
Counters parse_counter_lines(std::string_view text);
/// Lines "TCP: inuse 1 orphan 0" as SockstatTcpInuse, SockstatTcpOrphan.
Counters parse_sockstat(std::string_view text);

/// One line of softnet_stat: one CPU.
struct SoftnetLine {
  std::uint32_t cpu = 0;
  std::uint64_t processed = 0, dropped = 0, time_squeeze = 0, received_rps = 0, flow_limit = 0;
};
/// Hexadecimal columns; kernels before 5.10 do not number the CPUs, then lines count.
std::vector<SoftnetLine> parse_softnet(std::string_view text);
/// A line of names and one hexadecimal line for each CPU: "insert_failed" as ConntrackInsertFailed,
/// the CPUs added up, but `entries`, which every line repeats, as ConntrackEntries once.
Counters parse_conntrack_stat(std::string_view text);

/// Fills machine.counters, and the softnet facts of machine.cpus.
void read_counters(const HostFiles& files, MachineFacts& machine);

}  // namespace slowpath::machine
