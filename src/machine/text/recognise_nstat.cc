// SPDX-License-Identifier: Apache-2.0
// `nstat -az`: name, value, rate; /proc/net/snmp and netstat: a line of names, a line of values;
// /proc/net/snmp6 and xfrm_stat: name and value.
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

bool is_name(std::string_view word) {
  return !word.empty() && word.front() >= 'A' && word.front() <= 'Z' &&
         is_word_of(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

bool is_nstat_line(const Words& words) {
  return words.size() == 3 && is_name(words[0]) && whole_number(words[1]) &&
         words[2].contains('.') && real_number(words[2]);
}

/// /proc/net/snmp6 and xfrm_stat: name and value.
bool is_proc_line(const Words& words) {
  return words.size() == 2 && whole_number(words[1]) && is_name(words[0]) &&
         (words[0].starts_with("Ip6") || words[0].starts_with("Icmp6") ||
          words[0].starts_with("Udp6") || words[0].starts_with("UdpLite6") ||
          words[0].starts_with("Xfrm"));
}

/// "TcpExt: SyncookiesSent SyncookiesRecv ..." over "TcpExt: 0 0 ...".
bool is_proc_pair(Lines lines) {
  if (lines.size() < 2) return false;
  const Words names = words_of(lines[0].text);
  const Words values = words_of(lines[1].text);
  return names.size() >= 2 && values.size() >= 2 && names[0] == values[0] &&
         names[0].ends_with(':') && is_name(names[0].substr(0, names[0].size() - 1)) &&
         is_name(names[1]) && is_word_of(values[1], "-0123456789");
}

bool recognises(const Output& rest) {
  return rest.lines.front().text == "#kernel" || is_nstat_line(rest.words) ||
         is_proc_line(rest.words) || is_proc_pair(rest.lines);
}

void read_proc_pair(const Line& names_line, const Line& values_line, Notes& notes) {
  const Words names = words_of(names_line.text);
  const Words values = words_of(values_line.text);
  const std::string_view group = names[0].substr(0, names[0].size() - 1);
  for (std::size_t at = 1; at < names.size() && at < values.size(); ++at) {
    // MaxConn is -1: no limit, and no counter.
    if (const auto value = whole_number(values[at])) {
      notes.counter(std::string(group) + std::string(names[at]), *value, values_line);
    }
  }
}

void read(const Output& output, Notes& notes) {
  for (std::size_t at = 0; at < output.lines.size(); ++at) {
    const Line& line = output.lines[at];
    if (is_proc_pair(output.lines.subspan(at))) {
      read_proc_pair(line, output.lines[at + 1], notes);
      ++at;
      continue;
    }
    const Words words = words_of(line.text);
    if (is_nstat_line(words) || is_proc_line(words)) {
      notes.counter(std::string(words[0]), whole_number(words[1]).value_or(0), line);
    } else if (line.text != "#kernel") {
      notes.not_understood(line);
    }
  }
}

}  // namespace

namespace recognisers {
extern const Recogniser nstat;
const Recogniser nstat{"nstat", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
