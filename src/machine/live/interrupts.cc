// SPDX-License-Identifier: Apache-2.0
#include "machine/live/interrupts.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "machine/live/device.h"

namespace slowpath::machine {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
}

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.contains(word); });
}

// "eth0-TxRx-3" is of eth0, "eth01-rx-0" is not: a name ends where letters and digits do.
bool names(std::string_view word, std::string_view owner) {
  const auto is_part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (auto at = word.find(owner); at != word.npos; at = word.find(owner, at + 1)) {
    const auto end = at + owner.size();
    const bool starts = at == 0 || !is_part(word[at - 1]);
    if (starts && (end == word.size() || !is_part(word[end]))) return true;
  }
  return false;
}

// Drivers name queues as they like: eth0-TxRx-0 (ixgbe), eth0-rx-1, ens5-Tx-Rx-0 (ena),
// virtio2-input.0, mlx5_comp3@pci:..., eth0-0 (igb and others), eth0 (one for all),
// ntfy-block.1@pci (gve), eth0-rxtx-2 (vmxnet3).
QueueLine classify_name(std::string_view word) {
  std::string name{word};
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (contains_any(name, {"config", "async", "ctrl", "mgmnt", "mgmt", "event", "fdir", "misc",
                          "control", "cmd", "pages", "hwc", "-lsc", ":lsc"})) {
    return QueueLine::no;
  }
  if (contains_any(name, {"txrx", "tx-rx", "rxtx", "rx", "input", "comp", "queue", "ntfy"})) {
    return QueueLine::surely;
  }
  return contains_any(name, {"tx", "output"}) ? QueueLine::no : QueueLine::perhaps;
}

bool belongs(const InterruptLine& line, const InterruptOwner& owner) {
  if (!owner.numbers.empty()) return owner.numbers.contains(line.number);
  return std::ranges::any_of(line.words, [&](const std::string& word) {
    if (!owner.interface.empty() && names(word, owner.interface)) return true;
    return std::ranges::any_of(owner.devices, [&](const std::string& device) {
      return !device.empty() && names(word, device);
    });
  });
}

}  // namespace

std::vector<InterruptLine> parse_interrupts(std::string_view text) {
  const auto lines = lines_of(text);
  std::vector<InterruptLine> result;
  if (lines.empty()) return result;
  const std::size_t cpus = words_of(lines[0]).size();
  for (std::size_t row = 1; row < lines.size(); ++row) {
    const auto words = words_of(lines[row]);
    if (words.size() < cpus + 1 || !words[0].ends_with(':')) continue;
    InterruptLine line;
    line.number = words[0].substr(0, words[0].size() - 1);
    for (std::size_t i = 1; i <= cpus && is_number(words[i]); ++i) {
      std::uint64_t count = 0;
      std::from_chars(words[i].data(), words[i].data() + words[i].size(), count);
      line.by_cpu.push_back(count);
    }
    if (line.by_cpu.size() != cpus) continue;
    line.words.assign(words.begin() + static_cast<std::ptrdiff_t>(cpus) + 1, words.end());
    result.push_back(std::move(line));
  }
  return result;
}

QueueLine classify_line(const InterruptLine& line, const InterruptOwner& owner) {
  if (line.words.empty() || !belongs(line, owner)) return QueueLine::no;
  return classify_name(line.words.back());
}

void apply_interrupts(const std::vector<InterruptLine>& lines, const InterruptOwner& owner,
                      InterfaceFacts& facts) {
  QueueLine best = QueueLine::no;
  for (const InterruptLine& line : lines) best = std::max(best, classify_line(line, owner));
  if (best == QueueLine::no) return;
  for (const InterruptLine& line : lines) {
    if (classify_line(line, owner) != best) continue;
    std::uint64_t sum = 0;
    facts.cpu_interrupts.resize(std::max(facts.cpu_interrupts.size(), line.by_cpu.size()));
    for (std::size_t cpu = 0; cpu < line.by_cpu.size(); ++cpu) {
      sum += line.by_cpu[cpu];
      facts.cpu_interrupts[cpu] += line.by_cpu[cpu];
    }
    facts.queue_interrupts.push_back(sum);
  }
}

void read_interrupts(const HostFiles& files, MachineFacts& machine) {
  const auto text = files.read("/proc/interrupts");
  if (!text) {
    add_unread(machine.unread, "interrupts (/proc/interrupts)", text.error(), "");
    return;
  }
  const auto lines = parse_interrupts(*text);
  for (InterfaceFacts& facts : machine.interfaces) {
    if (!facts.kind.empty()) continue;
    InterruptOwner owner{device_interrupts(files, facts), facts.name, {facts.bus}};
    const auto parent = facts.properties.find("parent_device");
    if (parent != facts.properties.end()) owner.devices.push_back(parent->second);
    apply_interrupts(lines, owner, facts);
  }
}

}  // namespace slowpath::machine
