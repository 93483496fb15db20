// SPDX-License-Identifier: Apache-2.0
// /proc/interrupts: the interrupts of each receive queue. /proc/stat: what the processors did.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

// USER_HZ: the unit of /proc/stat on every architecture of today (proc(5)).
constexpr double kTicksPerSecond = 100;
constexpr std::size_t kMaxQueues = 1024;

bool is_processor_header(const Words& words) {
  return !words.empty() && words[0] == "CPU0" &&
         std::ranges::all_of(words, [](std::string_view word) { return word.starts_with("CPU"); });
}

/// "cpu0 1 2 3 4 5 6 7 8 0 0".
bool is_stat_line(const Words& words) {
  return words.size() >= 8 && words[0].starts_with("cpu") &&
         (words[0].size() == 3 || whole_number(words[0].substr(3))) &&
         std::ranges::all_of(words.begin() + 1, words.end(),
                             [](std::string_view word) { return whole_number(word).has_value(); });
}

bool recognises(const Output& rest) {
  const Words& words = rest.words;
  return is_processor_header(words) || is_stat_line(words);
}

struct Queue {
  std::string_view interface;
  std::size_t number = 0;
};

/// "virtio2-input.0" names the device below an interface, which `ip -d link` told.
std::optional<Queue> virtio_queue_of(std::string_view name, const MachineFacts& facts) {
  constexpr std::string_view kMark = "-input.";
  const std::size_t at = name.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  const auto number = whole_number(name.substr(at + kMark.size()));
  if (!number || *number >= kMaxQueues) return std::nullopt;
  for (const InterfaceFacts& interface : facts.interfaces) {
    const auto device = interface.properties.find("parent_device");
    if (device != interface.properties.end() && device->second == name.substr(0, at)) {
      return Queue{interface.name, static_cast<std::size_t>(*number)};
    }
  }
  return std::nullopt;
}

/// "eth0-rx-0", "eth0-TxRx-3", "ena: ens5-Tx-Rx-1", "i40e-eth0-TxRx-0": the interface and its
/// receive queue. What sends only is none.
std::optional<Queue> queue_of(std::string_view name, const MachineFacts& facts) {
  if (const auto queue = virtio_queue_of(name, facts)) return queue;
  constexpr auto kMarks = std::to_array<std::string_view>(
      {"-Tx-Rx-", "-TxRx-", "-rxtx-", "-rx-", "-rx", "-input-", "-fp-"});
  for (const std::string_view mark : kMarks) {
    const std::size_t at = name.find(mark);
    if (at == std::string_view::npos || at == 0) continue;
    const auto number = whole_number(name.substr(at + mark.size()));
    if (!number || *number >= kMaxQueues) continue;
    std::string_view interface = name.substr(0, at);
    for (const std::string_view driver : {"i40e-", "ice-", "iavf-", "bnxt_en-"}) {
      if (interface.starts_with(driver)) interface.remove_prefix(driver.size());
    }
    return Queue{interface, static_cast<std::size_t>(*number)};
  }
  return std::nullopt;
}

/// " 24:  100  200  PCI-MSI 524288-edge  eth0-rx-0".
bool read_interrupt(const Words& words, std::size_t processors, const Line& line, Notes& notes) {
  if (words.empty() || !words[0].ends_with(':')) return false;
  std::uint64_t count = 0;
  std::vector<std::uint64_t> by_cpu;
  for (std::size_t at = 1; at < words.size() && at <= processors; ++at) {
    const auto value = whole_number(words[at]);
    if (!value) break;
    count += *value;
    by_cpu.push_back(*value);
  }
  const auto queue = queue_of(words.back(), notes.facts());
  if (!queue) return true;  // an interrupt of something else
  InterfaceFacts& interface = notes.interface(queue->interface, line);
  auto& queues = interface.queue_interrupts;
  if (queues.size() <= queue->number) queues.resize(queue->number + 1);
  queues[queue->number] = count;
  auto& sums = interface.cpu_interrupts;
  sums.resize(std::max(sums.size(), by_cpu.size()));
  for (std::size_t cpu = 0; cpu < by_cpu.size(); ++cpu) sums[cpu] += by_cpu[cpu];
  return true;
}

bool read_stat(const Words& words, MachineFacts& facts) {
  const auto seconds = [&words](std::size_t at) {
    const auto value = at < words.size() ? whole_number(words[at]) : std::nullopt;
    return static_cast<double>(value.value_or(0)) / kTicksPerSecond;
  };
  if (words[0].size() == 3) return true;  // the sum of the lines below
  CpuFacts cpu;
  cpu.number = whole_number32(words[0].substr(3)).value_or(0);
  cpu.user_s = seconds(1) + seconds(2);
  cpu.system_s = seconds(3) + seconds(6);  // with hard interrupts
  cpu.idle_s = seconds(4) + seconds(5);    // with waiting for disks
  cpu.softirq_s = seconds(7);
  cpu.steal_s = seconds(8);
  const auto known = std::ranges::find(facts.cpus, cpu.number, &CpuFacts::number);
  if (known != facts.cpus.end()) {
    *known = cpu;
  } else if (facts.cpus.size() < 4096) {
    facts.cpus.push_back(cpu);
  }
  return true;
}

void read(const Output& output, Notes& notes) {
  std::size_t processors = 0;
  bool is_stat = false;
  notes.each_line(output, [&](const Line& line) {
    const Words words = words_of(line.text);
    if (is_processor_header(words)) {
      processors = words.size();
      is_stat = false;
      return true;
    }
    if (is_stat_line(words)) {
      is_stat = true;
      return read_stat(words, notes.facts());
    }
    if (!is_stat) return processors > 0 && read_interrupt(words, processors, line, notes);
    // "intr", "ctxt", "btime", "processes", "procs_running", "procs_blocked", "softirq".
    return words.size() >= 2 && whole_number(words[1]).has_value();
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser proc_cpu;
const Recogniser proc_cpu{"proc_cpu", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
