// SPDX-License-Identifier: Apache-2.0
#include "probe/path/host_counters.h"

#include "machine/live/counters.h"
#include "machine/live/host_files.h"

namespace slowpath::probe {
namespace {

std::uint64_t value_of(const HostCounters& counters, std::string_view name) {
  const auto found = counters.find(name);
  return found == counters.end() ? 0 : found->second;
}

}  // namespace

HostCounters read_host_counters() {
  const machine::HostFiles files;
  HostCounters all;
  const auto add = [&](const machine::Counters& counters) {
    for (const auto& [name, value] : counters) all[name] = value;
  };
  const auto text = [&](std::string_view name) {
    return files.read(machine::proc_net(files, name)).value_or(std::string{});
  };
  add(machine::parse_counter_pairs(text("snmp")));
  add(machine::parse_counter_pairs(text("netstat")));
  add(machine::parse_counter_lines(text("snmp6")));
  add(machine::parse_sockstat(text("sockstat")));
  add(machine::parse_conntrack_stat(text("stat/nf_conntrack")));
  // The kernel counts no codes: type 3 holds all that is unreachable.
  all[std::string(kIcmpTooBig)] =
      value_of(all, "IcmpInDestUnreachs") + value_of(all, "Icmp6InPktTooBigs");
  return all;
}

std::optional<std::uint64_t> rise(const HostCounters& before, const HostCounters& after,
                                  std::string_view name) {
  if (!after.contains(name)) return std::nullopt;
  const std::uint64_t from = value_of(before, name), to = value_of(after, name);
  return to >= from ? to - from : 0;
}

}  // namespace slowpath::probe
