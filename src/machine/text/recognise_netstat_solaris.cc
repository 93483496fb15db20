// SPDX-License-Identifier: Apache-2.0
// `netstat -s` of Solaris: "tcpRetransSegs = 12   tcpRetransBytes = 3400", several on a line. The
// names become counters with a capital letter, as nstat's are.
#include <optional>
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

bool is_name(std::string_view word) {
  for (const std::string_view group : {"tcp", "udp", "ip", "ipv6", "icmp", "sctp", "rawip"}) {
    const std::string_view rest = word.starts_with(group) ? word.substr(group.size()) : "";
    if (!rest.empty() && rest.front() >= 'A' && rest.front() <= 'Z') return true;
  }
  return false;
}

/// The words with "=" set apart: "tcpInSegs=5", "tcpInSegs =5" and "tcpInSegs = 5" are one.
std::string spaced(std::string_view line) {
  std::string out;
  for (const char each : line) {
    if (each == '=') {
      out.append(" = ");
    } else {
      out.push_back(each);
    }
  }
  return out;
}

/// Notes them, or only asks whether there are any.
bool read_pairs(const Line& line, Notes* notes) {
  const std::string text = spaced(line.text);
  const Words words = words_of(text);
  bool any = false;
  for (std::size_t at = 0; at + 2 < words.size(); ++at) {
    const auto value = whole_number(words[at + 2]);
    if (!is_name(words[at]) || words[at + 1] != "=" || !value) continue;
    any = true;
    if (notes == nullptr) return true;
    std::string name(words[at]);
    name.front() = static_cast<char>(name.front() - 'a' + 'A');
    notes->counter(name, *value, line);
  }
  return any;
}

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  return first.contains('=') && !first.contains(':') && read_pairs(rest.lines.front(), nullptr);
}

void read(const Output& output, Notes& notes) {
  notes.each_line(output, [&](const Line& line) { return read_pairs(line, &notes); });
}

}  // namespace

namespace recognisers {
extern const Recogniser netstat_solaris;
const Recogniser netstat_solaris{"netstat_solaris", Platform::solaris, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
