// SPDX-License-Identifier: Apache-2.0
// Parsers of /proc/net's tables.
#include "lab/counters.h"

#include <array>
#include <charconv>
#include <optional>
#include <vector>

namespace slowpath::lab {
namespace {

std::vector<std::string_view> split(std::string_view text, std::string_view at) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = text.find_first_of(at);
    if (end != 0) parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace

void read_snmp(std::string_view text, Counters& counters) {
  const auto lines = split(text, "\n");
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    const auto names = split(lines[i], " ");
    const auto values = split(lines[i + 1], " ");
    // A pair begins with the same word, "Tcp:".
    if (names.empty() || values.size() != names.size() || names[0] != values[0]) continue;
    const auto group = names[0].substr(0, names[0].find(':'));
    for (std::size_t column = 1; column < names.size(); ++column) {
      if (const auto value = number(values[column]))
        counters[std::string{group} + "." + std::string{names[column]}] = *value;
    }
    ++i;
  }
}

void read_dev(std::string_view text, Counters& counters) {
  // Order of the columns since Linux 2.2; the heading names most of them twice.
  constexpr std::array<std::string_view, 16> kColumns{
      "rx_bytes",      "rx_packets",    "rx_errors",  "rx_dropped",   "rx_fifo",   "rx_frame",
      "rx_compressed", "rx_multicast",  "tx_bytes",   "tx_packets",   "tx_errors", "tx_dropped",
      "tx_fifo",       "tx_collisions", "tx_carrier", "tx_compressed"};
  for (const auto line : split(text, "\n")) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || line.contains('|')) continue;
    const auto name = split(line.substr(0, colon), " ");
    const auto values = split(line.substr(colon + 1), " ");
    if (name.size() != 1 || values.size() != kColumns.size()) continue;
    for (std::size_t column = 0; column < kColumns.size(); ++column) {
      if (const auto value = number(values[column]))
        counters[std::string{name[0]} + "." + std::string{kColumns[column]}] = *value;
    }
  }
}

void read_snmp6(std::string_view text, Counters& counters) {
  for (const auto line : split(text, "\n")) {
    const auto words = split(line, " \t");
    if (words.size() != 2) continue;
    if (const auto value = number(words[1])) counters[std::string{words[0]}] = *value;
  }
}

}  // namespace slowpath::lab
