// SPDX-License-Identifier: Apache-2.0
#include "machine/live/cpu.h"

#include <unistd.h>

#include <array>
#include <charconv>

namespace slowpath::machine {
namespace {

template <typename T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::vector<CpuFacts> parse_cpu_times(std::string_view text, double ticks_per_second) {
  enum { user, nice, system, idle, iowait, irq, softirq, steal, columns };
  std::vector<CpuFacts> cpus;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    CpuFacts cpu;
    if (words.size() <= columns || !words[0].starts_with("cpu")) continue;
    if (!read_number(words[0].substr(3), cpu.number)) continue;  // "cpu" alone: the sum
    std::array<std::uint64_t, columns> ticks{};
    bool is_whole = true;
    for (std::size_t i = 0; i < ticks.size(); ++i) {
      is_whole = is_whole && read_number(words[i + 1], ticks[i]);
    }
    if (!is_whole) continue;
    const auto seconds = [&](std::uint64_t count) {
      return static_cast<double>(count) / ticks_per_second;
    };
    cpu.user_s = seconds(ticks[user] + ticks[nice]);
    cpu.system_s = seconds(ticks[system] + ticks[irq]);
    cpu.idle_s = seconds(ticks[idle] + ticks[iowait]);
    cpu.softirq_s = seconds(ticks[softirq]);
    cpu.steal_s = seconds(ticks[steal]);
    cpus.push_back(cpu);
  }
  return cpus;
}

void read_cpus(const HostFiles& files, MachineFacts& machine) {
  const auto text = files.read("/proc/stat");
  if (!text) {
    add_unread(machine.unread, "CPU time (/proc/stat)", text.error(), "");
    return;
  }
  const long ticks = sysconf(_SC_CLK_TCK);
  machine.cpus = parse_cpu_times(*text, ticks > 0 ? static_cast<double>(ticks) : 100.0);
}

}  // namespace slowpath::machine
