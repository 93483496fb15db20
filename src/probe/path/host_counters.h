// SPDX-License-Identifier: Apache-2.0
// The few counters of the own host that a test reads before and after: ICMP that came, checksums
// that were wrong, queues that were full. Anybody may read them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace slowpath::probe {

using HostCounters = std::map<std::string, std::uint64_t, std::less<>>;

/// By the kernel's names (IcmpInDestUnreachs, UdpInCsumErrors, TcpExtListenOverflows ...), of the
/// calling thread's network namespace.
HostCounters read_host_counters();

/// "Fragmentation needed" and "packet too big": IcmpInDestUnreachs and Icmp6InPktTooBigs together.
inline constexpr std::string_view kIcmpTooBig = "TooBig";

/// How much a counter rose; nothing where it was not there. It may have come into being meanwhile.
std::optional<std::uint64_t> rise(const HostCounters& before, const HostCounters& after,
                                  std::string_view name);

}  // namespace slowpath::probe
