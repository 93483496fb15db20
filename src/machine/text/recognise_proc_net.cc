// SPDX-License-Identifier: Apache-2.0
// /proc/net/softnet_stat, /proc/net/sockstat, /proc/net/stat/nf_conntrack and `conntrack -S`, `-C`:
// counters of each processor, added up.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

// net/core/net-procfs.c softnet_seq_show(): at least nine columns of eight hexadecimal digits.
constexpr std::size_t kSoftnetColumns = 9;

bool is_softnet(const Words& words) {
  if (words.size() < kSoftnetColumns) return false;
  for (const std::string_view word : words) {
    if (word.size() != 8 || !hex_number(word)) return false;
  }
  return true;
}

bool is_conntrack_line(const Words& words) {
  return words.size() >= 4 && words[0].starts_with("cpu=") && words[1].contains('=');
}

bool is_conntrack_table(const Words& words) {
  return words.size() >= 8 && words[0] == "entries" && std::ranges::count(words, "invalid") == 1;
}

bool is_sockstat(const Words& words) {
  return words.size() >= 3 &&
         (words[0] == "sockets:" || words[0] == "TCP:" || words[0] == "TCP6:") &&
         (words[1] == "used" || words[1] == "inuse");
}

bool is_conntrack_count(const Output& rest) {
  return rest.command.program() == "conntrack" && rest.command.has("-C") &&
         whole_number(rest.lines.front().text);
}

bool recognises(const Output& rest) {
  const Words& words = rest.words;
  return is_softnet(words) || is_conntrack_line(words) || is_conntrack_table(words) ||
         is_sockstat(words) || is_conntrack_count(rest);
}

/// "insert_failed" -> "ConntrackInsertFailed".
std::string conntrack_name(std::string_view name) {
  std::string out = "Conntrack";
  bool upper = true;
  for (const char each : name) {
    if (each == '_') {
      upper = true;
      continue;
    }
    const bool small = each >= 'a' && each <= 'z';
    out.push_back(upper && small ? static_cast<char>(each - 'a' + 'A') : each);
    upper = false;
  }
  return out;
}

/// Adds over processors; set at the end, so that a second listing replaces the first.
class Sums {
 public:
  void add(const std::string& name, std::uint64_t value, const Line& line) {
    auto& sum = sums_[name];
    sum.first += value;
    sum.second = line;
  }
  void store(Notes& notes) const {
    for (const auto& [name, sum] : sums_) notes.counter(name, sum.first, sum.second);
  }

 private:
  std::map<std::string, std::pair<std::uint64_t, Line>> sums_;
};

void read_softnet(const Words& words, std::uint64_t ordinal, const Line& line, Sums& sums,
                  MachineFacts& facts) {
  constexpr auto kColumns =
      std::to_array<std::pair<std::size_t, const char*>>({{0, "SoftnetProcessed"},
                                                          {1, "SoftnetDropped"},
                                                          {2, "SoftnetTimeSqueeze"},
                                                          {9, "SoftnetReceivedRps"},
                                                          {10, "SoftnetFlowLimit"}});
  for (const auto& [column, name] : kColumns) {
    if (column < words.size()) sums.add(name, hex_number(words[column]).value_or(0), line);
  }
  // The thirteenth column is the processor; older kernels list them all in order.
  const auto number = words.size() > 12 ? hex_number(words[12]) : std::optional(ordinal);
  const auto cpu = std::ranges::find(facts.cpus, number.value_or(0), &CpuFacts::number);
  if (cpu == facts.cpus.end()) return;
  cpu->softnet_processed = hex_number(words[0]);
  cpu->softnet_dropped = hex_number(words[1]);
  cpu->softnet_time_squeeze = hex_number(words[2]);
}

bool read_conntrack_line(const Words& words, const Line& line, Sums& sums) {
  for (const std::string_view word : words) {
    const auto pair = pair_of(word, '=');
    const auto value = pair ? whole_number(pair->value) : std::nullopt;
    if (!value) return false;
    if (pair->key != "cpu") sums.add(conntrack_name(pair->key), *value, line);
  }
  return true;
}

/// Every row tells the same number of entries: it is no counter of one processor.
bool read_conntrack_row(const Words& names, const Words& words, const Line& line, Sums& sums,
                        Notes& notes) {
  if (words.size() != names.size()) return false;
  for (std::size_t column = 0; column < words.size(); ++column) {
    const auto value = hex_number(words[column]);
    if (!value) return false;
    if (names[column] == "entries") {
      notes.counter("ConntrackEntries", *value, line);
    } else {
      sums.add(conntrack_name(names[column]), *value, line);
    }
  }
  return true;
}

/// "TCP: inuse 5 orphan 0 tw 12 alloc 8 mem 1" -> "SockstatTcpTw".
bool read_sockstat(const Words& words, const Line& line, Notes& notes) {
  if (words.size() < 3 || !words[0].ends_with(':')) return false;
  const std::string group = lower(words[0].substr(0, words[0].size() - 1));
  for (std::size_t at = 1; at + 1 < words.size(); at += 2) {
    const auto value = whole_number(words[at + 1]);
    if (!value) return false;
    const auto capital = [](std::string_view word) { return conntrack_name(word).substr(9); };
    notes.counter("Sockstat" + capital(group) + capital(words[at]), *value, line);
  }
  return true;
}

void read(const Output& output, Notes& notes) {
  Sums sums;
  Words names;
  std::uint64_t softnet_lines = 0;
  notes.each_line(output, [&](const Line& line) {
    const Words words = words_of(line.text);
    if (is_softnet(words) && names.empty()) {
      read_softnet(words, softnet_lines++, line, sums, notes.facts());
      return true;
    }
    if (is_conntrack_table(words)) {
      names = words;
      return true;
    }
    if (!names.empty()) return read_conntrack_row(names, words, line, sums, notes);
    if (is_conntrack_line(words)) return read_conntrack_line(words, line, sums);
    if (is_conntrack_count({Lines(&line, 1), output.command})) {
      notes.counter("ConntrackCount", whole_number(line.text).value_or(0), line);
      return true;
    }
    return read_sockstat(words, line, notes) || line.text.starts_with("conntrack v");
  });
  sums.store(notes);
}

}  // namespace

namespace recognisers {
extern const Recogniser proc_net;
const Recogniser proc_net{"proc_net", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
