// SPDX-License-Identifier: Apache-2.0
// `netstat -s` of Windows: "TCP Statistics for IPv4" over lines "Segments Sent  = 5". The names are
// translated, their order is not: a table with TCP in its title and eight rows is TCP's.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

// In the order of MIB_TCPSTATS as netstat prints it; the names are those of RFC 4022 and 4293.
constexpr auto kTcpRows = std::to_array<std::string_view>(
    {"TcpActiveOpens", "TcpPassiveOpens", "TcpAttemptFails", "TcpEstabResets", "TcpCurrEstab",
     "TcpInSegs", "TcpOutSegs", "TcpRetransSegs"});
constexpr auto kIpRows = std::to_array<std::string_view>(
    {"IpInReceives", "IpInHdrErrors", "IpInAddrErrors", "IpForwDatagrams", "IpInUnknownProtos",
     "IpInDiscards", "IpInDelivers", "IpOutRequests", "", "IpOutDiscards", "IpOutNoRoutes",
     "IpReasmReqds", "IpReasmOKs", "IpReasmFails", "IpFragOKs", "IpFragFails", "IpFragCreates"});

struct Row {
  Line line;
  std::optional<std::uint64_t> value;
};

std::optional<Pair> row_of(std::string_view line) {
  if (!line.starts_with("  ") || !line.contains(" = ")) return std::nullopt;
  const auto pair = pair_of(line, '=');
  return pair && is_word_of(pair->value, "0123456789") ? pair : std::nullopt;
}

/// Titles of TCP, UDP, IP and ICMP tables.
bool is_title(std::string_view line) {
  return !line.empty() && line.front() != ' ' && !line.contains('=') && !line.contains(':') &&
         (line.contains("IPv4") || line.contains("IPv6"));
}

bool recognises(const Output& rest) {
  if (!is_title(rest.lines.front().text)) return false;
  for (std::size_t at = 1; at < rest.lines.size() && at < 4; ++at) {
    if (rest.lines[at].text.empty()) continue;
    // ICMP's table has a header above its rows.
    return row_of(rest.lines[at].text) || rest.lines[at].text.starts_with("      ");
  }
  return false;
}

void store(std::string_view title, const std::vector<Row>& rows, Notes& notes) {
  const bool is_six = title.contains("IPv6");
  const bool is_tcp = title.contains("TCP");
  const bool is_ip = !is_tcp && !title.contains("UDP") && !title.contains("ICMP");
  const std::span<const std::string_view> names =
      is_tcp ? std::span<const std::string_view>(kTcpRows) : kIpRows;
  if ((!is_tcp && !is_ip) || rows.size() != names.size()) return;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    if (names[at].empty() || !rows[at].value) continue;
    // IPv4 and IPv6 are told apart; nstat's TCP counters hold both.
    std::string name(names[at]);
    std::uint64_t value = *rows[at].value;
    if (is_six && is_ip) name.insert(2, 1, '6');
    if (is_six && is_tcp) {
      const auto* four = find_counter(notes.facts(), name);
      if (four != nullptr) value += four->value;
    }
    notes.counter(name, value, rows[at].line);
  }
}

void read(const Output& output, Notes& notes) {
  std::string_view title;
  std::vector<Row> rows;
  notes.each_line(output, [&](const Line& line) {
    if (is_title(line.text)) {
      store(title, rows, notes);
      rows.clear();
      title = line.text;
      return true;
    }
    if (const auto row = row_of(line.text)) {
      rows.push_back({line, whole_number(row->value)});
      return true;
    }
    // ICMP's rows: a name and two numbers; and their header.
    const Words words = words_of(line.text);
    return title.contains("ICMP") && line.text.front() == ' ' && words.size() >= 2;
  });
  store(title, rows, notes);
}

}  // namespace

namespace recognisers {
extern const Recogniser netstat_windows;
const Recogniser netstat_windows{"netstat_windows", Platform::windows, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
