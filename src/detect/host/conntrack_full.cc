// SPDX-License-Identifier: Apache-2.0
// conntrack-full: the table of connections is full, or nearly.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

constexpr std::string_view kMax = "net.netfilter.nf_conntrack_max";

struct Table {
  double entries, most;
  HostEvidence entries_seen, most_seen;
};

std::optional<Table> table_of(const MachineFacts& facts) {
  const std::string count = "ConntrackCount", most = "ConntrackMax";
  if (is_counted(facts, count) && is_counted(facts, most))
    return Table{static_cast<double>(count_of(facts, count)),
                 static_cast<double>(count_of(facts, most)), counted(facts, count),
                 counted(facts, most)};
  const std::string sysctl = "net.netfilter.nf_conntrack_count";
  const auto entries = number_of(facts, sysctl), limit = number_of(facts, kMax);
  if (!entries || !limit) return std::nullopt;
  return Table{static_cast<double>(*entries), static_cast<double>(*limit), shown(facts, sysctl),
               shown(facts, kMax)};
}

bool look_at_table(const Host& host, std::vector<HostFinding>& found) {
  const auto table = table_of(host.facts);
  if (!table || table->most <= 0) return false;
  constexpr double kNear = 0.8, kFull = 0.95;
  const double share = table->entries / table->most;
  if (share < kNear) return true;
  const double wait_s = static_cast<double>(
      number_of(host.facts, "net.netfilter.nf_conntrack_tcp_timeout_time_wait").value_or(120));
  HostFinding finding{
      .severity = share >= kFull ? Severity::fault : Severity::suspect,
      .claim = fmt::format("the table of connections holds {} of {}", whole(table->entries),
                           whole(table->most)),
      .value = format_percent(share),
      .expected = "below 80 %",
      .why = "when it is full, packets of new connections are dropped",
      .cost = wait_s > 0 ? fmt::format("room for {:.0f} more connections a second that end at once",
                                       (table->most - table->entries) / wait_s)
                         : "no room for new connections",
      .evidence = {table->entries_seen, table->most_seen}};
  finding.steps.push_back(
      {Platform::linux, fmt::format("sysctl -w {}={:.0f}", kMax, 2 * table->most),
       fmt::format("sysctl -w {}={:.0f}", kMax, table->most), "kernel nf_conntrack-sysctl.rst"});
  found.push_back(std::move(finding));
  return true;
}

constexpr std::string_view kDropped[] = {"ConntrackEarlyDrop"};
constexpr CounterRule kRule{
    .measure = {.events = kDropped, .of = {}, .least_count = 1, .proven_per_s = 1},
    .claim = "the table of connections was full at times: old ones were thrown out",
    .why = "room for a new connection is made by forgetting one that was not confirmed",
    .cost = "forgotten connections hang or are reset"};

bool look_at_drops(const Host& host, std::vector<HostFinding>& found) {
  return judge_counters(host, kRule, found);
}

constexpr std::array kRules{
    HostRule{"table-full", Platform::linux, "sysctl -a",
             "the table of connections is 80 % full; fault from 95 % on", look_at_table},
    HostRule{"table-was-full", Platform::linux, "conntrack -S",
             "early_drop is not 0; fault from one a second on", look_at_drops},
};

}  // namespace

extern const HostFault conntrack_full;
const HostFault conntrack_full{"conntrack-full", kRules};

}  // namespace slowpath::detect::host
