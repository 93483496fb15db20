// SPDX-License-Identifier: Apache-2.0
// The kernel's counters as text in /proc/net, read into names and numbers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace slowpath::lab {

using Counters = std::map<std::string, std::uint64_t>;

/// /proc/net/snmp and /proc/net/netstat: pairs of lines, names then values: "Tcp.RetransSegs",
/// "TcpExt.TCPTimeouts". Negative values (limits that are not set) and lines without their pair are
/// left out.
void read_snmp(std::string_view text, Counters& counters);
/// /proc/net/dev: "eth0.tx_dropped".
void read_dev(std::string_view text, Counters& counters);
/// /proc/net/snmp6: a name and a value a line: "Ip6InReceives".
void read_snmp6(std::string_view text, Counters& counters);

}  // namespace slowpath::lab
