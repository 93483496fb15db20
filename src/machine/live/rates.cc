// SPDX-License-Identifier: Apache-2.0
// What moved between two readings, per second. Pure.
#include <algorithm>
#include <array>
#include <string_view>

#include "base/assert.h"
#include "machine/live.h"

namespace slowpath::machine {
namespace {

// States, which go up and down: a difference of them is no rate.
constexpr auto kStates = std::to_array<std::string_view>(
    {"ConntrackCount", "ConntrackMax", "ConntrackEntries", "TcpCurrEstab", "TcpMaxConn",
     "TcpRtoAlgorithm", "TcpRtoMin", "TcpRtoMax", "IpForwarding", "IpDefaultTTL", "backlog_packets",
     "backlog_bytes"});

bool is_state(std::string_view name) {
  return name.starts_with("Sockstat") || std::ranges::find(kStates, name) != kStates.end();
}

std::uint64_t count_of(std::uint64_t value) { return value; }
std::uint64_t count_of(const Told<std::uint64_t>& told) { return told.value; }

template <typename Map>
std::map<std::string, double> rates(const Map& before, const Map& after, double interval_s) {
  std::map<std::string, double> moved;
  for (const auto& [name, value] : after) {
    const auto earlier = before.find(name);
    if (earlier == before.end() || is_state(name)) continue;
    const std::uint64_t was = count_of(earlier->second), is = count_of(value);
    if (is > was) moved[name] = static_cast<double>(is - was) / interval_s;
  }
  return moved;
}

// Of queues or CPUs in their order; none if there are not as many as before.
std::vector<double> rates(const std::vector<std::uint64_t>& before,
                          const std::vector<std::uint64_t>& after, double interval_s) {
  if (before.size() != after.size()) return {};
  std::vector<double> result;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::uint64_t difference = after[i] > before[i] ? after[i] - before[i] : 0;
    result.push_back(static_cast<double>(difference) / interval_s);
  }
  return result;
}

void subtract(std::optional<std::uint64_t>& value, const std::optional<std::uint64_t>& earlier) {
  if (value && earlier && *value >= *earlier) {
    *value -= *earlier;
  } else {
    value.reset();
  }
}

// The kernel's idle time is estimated and may step back a little.
double difference(double after, double before) { return std::max(0.0, after - before); }

void subtract(CpuFacts& cpu, const CpuFacts& before) {
  cpu.user_s = difference(cpu.user_s, before.user_s);
  cpu.system_s = difference(cpu.system_s, before.system_s);
  cpu.softirq_s = difference(cpu.softirq_s, before.softirq_s);
  cpu.steal_s = difference(cpu.steal_s, before.steal_s);
  cpu.idle_s = difference(cpu.idle_s, before.idle_s);
  subtract(cpu.softnet_processed, before.softnet_processed);
  subtract(cpu.softnet_dropped, before.softnet_dropped);
  subtract(cpu.softnet_time_squeeze, before.softnet_time_squeeze);
}

// A CPU that came meanwhile has no time in between.
std::vector<CpuFacts> between(const std::vector<CpuFacts>& before, std::vector<CpuFacts> after) {
  std::erase_if(after, [&](CpuFacts& cpu) {
    const auto earlier = std::ranges::find(before, cpu.number, &CpuFacts::number);
    if (earlier == before.end()) return true;
    subtract(cpu, *earlier);
    return false;
  });
  return after;
}

}  // namespace

MachineFacts rates_between(const MachineFacts& before, MachineFacts after, double interval_s) {
  SLOWPATH_ASSERT(interval_s > 0);
  after.interval_s = interval_s;
  after.counter_rates = rates(before.counters, after.counters, interval_s);
  after.cpus = between(before.cpus, std::move(after.cpus));
  for (InterfaceFacts& facts : after.interfaces) {
    const InterfaceFacts* earlier = find_interface(before, facts.name);
    // One that was made anew under the same name has counters of its own.
    if (earlier == nullptr || earlier->index != facts.index) continue;
    facts.statistic_rates = rates(earlier->statistics, facts.statistics, interval_s);
    facts.qdisc_rates = rates(earlier->qdisc_statistics, facts.qdisc_statistics, interval_s);
    facts.queue_interrupt_rates =
        rates(earlier->queue_interrupts, facts.queue_interrupts, interval_s);
    facts.cpu_interrupt_rates = rates(earlier->cpu_interrupts, facts.cpu_interrupts, interval_s);
  }
  return after;
}

}  // namespace slowpath::machine
