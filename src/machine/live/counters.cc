// SPDX-License-Identifier: Apache-2.0
#include "machine/live/counters.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <optional>

namespace slowpath::machine {
namespace {

std::optional<std::uint64_t> number(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "TCP" is "Tcp", "insert" is "Insert".
std::string capitalised(std::string_view word) {
  std::string text{word};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    text[i] = static_cast<char>(i == 0 ? std::toupper(c) : std::tolower(c));
  }
  return text;
}

// "insert_failed" is "ConntrackInsertFailed".
std::string conntrack_name(std::string_view column) {
  std::string name = "Conntrack";
  while (!column.empty()) {
    const auto end = std::min(column.find('_'), column.size());
    name += capitalised(column.substr(0, end));
    column.remove_prefix(std::min(end + 1, column.size()));
  }
  return name;
}

std::string_view before_colon(std::string_view line) { return line.substr(0, line.find(':')); }

void add_all(const Counters& counters, const std::string& path, MachineFacts& machine) {
  for (const auto& [name, value] : counters) machine.counters[name] = {value, {path}};
}

void read_softnet(const HostFiles& files, MachineFacts& machine) {
  const auto text = files.read(proc_net(files, "softnet_stat"));
  if (!text) {
    add_unread(machine.unread, "/proc/net/softnet_stat", text.error(), "");
    return;
  }
  Counters sum;
  for (const SoftnetLine& line : parse_softnet(*text)) {
    sum["SoftnetProcessed"] += line.processed;
    sum["SoftnetDropped"] += line.dropped;
    sum["SoftnetTimeSqueeze"] += line.time_squeeze;
    sum["SoftnetReceivedRps"] += line.received_rps;
    sum["SoftnetFlowLimit"] += line.flow_limit;
    const auto cpu = std::ranges::find(machine.cpus, line.cpu, &CpuFacts::number);
    if (cpu == machine.cpus.end()) continue;
    cpu->softnet_processed = line.processed;
    cpu->softnet_dropped = line.dropped;
    cpu->softnet_time_squeeze = line.time_squeeze;
  }
  add_all(sum, "/proc/net/softnet_stat", machine);
}

void read_conntrack(const HostFiles& files, MachineFacts& machine) {
  const std::pair<const char*, const char*> kinds[] = {
      {"ConntrackCount", "/proc/sys/net/netfilter/nf_conntrack_count"},
      {"ConntrackMax", "/proc/sys/net/netfilter/nf_conntrack_max"}};
  for (const auto& [name, path] : kinds) {
    if (const auto value = number(files.word(path))) machine.counters[name] = {*value, {path}};
  }
  const auto text = files.read(proc_net(files, "stat/nf_conntrack"));
  if (text) {
    add_all(parse_conntrack_stat(*text), "/proc/net/stat/nf_conntrack", machine);
  } else {
    add_unread(machine.unread, "connection tracking counters (/proc/net/stat/nf_conntrack)",
               text.error(), "cap_dac_read_search");
  }
}

}  // namespace

Counters parse_counter_pairs(std::string_view text) {
  Counters counters;
  std::vector<std::string_view> names;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.empty() || !words[0].ends_with(':')) continue;
    // A line of values follows the line of names that begins alike.
    if (names.empty() || names[0] != words[0]) {
      names = words;
      continue;
    }
    const std::string prefix{before_colon(words[0])};
    for (std::size_t i = 1; i < std::min(names.size(), words.size()); ++i) {
      if (const auto value = number(words[i])) counters[prefix + std::string{names[i]}] = *value;
    }
    names.clear();
  }
  return counters;
}

Counters parse_counter_lines(std::string_view text) {
  Counters counters;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() != 2) continue;
    if (const auto value = number(words[1])) counters[std::string{words[0]}] = *value;
  }
  return counters;
}

Counters parse_sockstat(std::string_view text) {
  Counters counters;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.empty() || !words[0].ends_with(':')) continue;
    const std::string prefix = "Sockstat" + capitalised(before_colon(words[0]));
    for (std::size_t i = 1; i + 1 < words.size(); i += 2) {
      if (const auto value = number(words[i + 1]))
        counters[prefix + capitalised(words[i])] = *value;
    }
  }
  return counters;
}

std::vector<SoftnetLine> parse_softnet(std::string_view text) {
  std::vector<SoftnetLine> result;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    const auto column = [&](std::size_t i) -> std::optional<std::uint64_t> {
      return i < words.size() ? number(words[i], 16) : std::nullopt;
    };
    if (!column(0) || !column(1) || !column(2)) continue;
    // net/core/net-procfs.c: softnet_seq_show.
    SoftnetLine softnet;
    softnet.cpu = static_cast<std::uint32_t>(column(12).value_or(result.size()));
    softnet.processed = *column(0);
    softnet.dropped = *column(1);
    softnet.time_squeeze = *column(2);
    softnet.received_rps = column(9).value_or(0);
    softnet.flow_limit = column(10).value_or(0);
    result.push_back(softnet);
  }
  return result;
}

Counters parse_conntrack_stat(std::string_view text) {
  const auto lines = lines_of(text);
  Counters counters;
  if (lines.empty()) return counters;
  const auto names = words_of(lines[0]);
  for (std::size_t row = 1; row < lines.size(); ++row) {
    const auto values = words_of(lines[row]);
    for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i) {
      const auto value = number(values[i], 16);
      if (!value) continue;
      std::uint64_t& counter = counters[conntrack_name(names[i])];
      counter = names[i] == "entries" ? *value : counter + *value;
    }
  }
  return counters;
}

void read_counters(const HostFiles& files, MachineFacts& machine) {
  struct Source {
    const char* name;
    Counters (*parse)(std::string_view text);
    bool may_lack;  // IPv6 or IPsec may not be built in
  };
  static constexpr Source kSources[] = {
      {"snmp", parse_counter_pairs, false}, {"netstat", parse_counter_pairs, false},
      {"snmp6", parse_counter_lines, true}, {"sockstat", parse_sockstat, false},
      {"sockstat6", parse_sockstat, true},  {"xfrm_stat", parse_counter_lines, true},
  };
  for (const Source& source : kSources) {
    const std::string path = std::string{"/proc/net/"} + source.name;
    const auto text = files.read(proc_net(files, source.name));
    if (text) {
      add_all(source.parse(*text), path, machine);
    } else if (!source.may_lack || text.error() != ENOENT) {
      add_unread(machine.unread, path, text.error(), "");
    }
  }
  read_softnet(files, machine);
  read_conntrack(files, machine);
}

}  // namespace slowpath::machine
