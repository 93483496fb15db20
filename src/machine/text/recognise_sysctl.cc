// SPDX-License-Identifier: Apache-2.0
// `sysctl -a`, parts of it, and files of sysctl.conf. Blanks between the numbers of a value become
// one space each.
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

constexpr std::string_view kKeyCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/@:*";

std::optional<Pair> setting_of(std::string_view line) {
  const auto pair = pair_of(line, '=');
  if (!pair || line.front() == ' ') return std::nullopt;
  const std::size_t dot = pair->key.find('.');
  // The first part is one of the kernel's few trees, in lower case.
  const bool is_tree = dot != std::string_view::npos &&
                       is_word_of(pair->key.substr(0, dot), "abcdefghijklmnopqrstuvwxyz");
  if (!is_tree || !is_word_of(pair->key, kKeyCharacters)) return std::nullopt;
  return pair;
}

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  return setting_of(first).has_value() || first.starts_with("sysctl: ");
}

std::string with_single_spaces(std::string_view value) {
  std::string out;
  for (const std::string_view word : words_of(value)) {
    if (!out.empty()) out.push_back(' ');
    out.append(word);
  }
  return out;
}

/// What other readers have a place for.
void read_known(std::string_view key, std::string_view value, const Line& line, Notes& notes) {
  MachineFacts& facts = notes.facts();
  if (key == "net.ipv4.tcp_available_congestion_control") {
    facts.congestion_controls.clear();
    for (const std::string_view word : words_of(value)) {
      facts.congestion_controls.emplace_back(word);
    }
  } else if (key == "kernel.osrelease" && facts.kernel.empty()) {
    facts.kernel = value;
  } else if (key == "kernel.hostname" && facts.name.empty()) {
    facts.name = value;
  } else if (const auto count = whole_number(value)) {
    if (key == "net.netfilter.nf_conntrack_count") notes.counter("ConntrackCount", *count, line);
    if (key == "net.netfilter.nf_conntrack_max") notes.counter("ConntrackMax", *count, line);
  }
}

/// "sysctl: permission denied on key 'net.ipv4.tcp_fastopen_key'".
bool read_complaint(std::string_view text, Notes& notes) {
  if (!text.starts_with("sysctl: ")) return false;
  std::string_view key = between(text, "'", "'");
  if (key.empty()) key = between(text, "\"", "\"");
  const bool denied = contains_ignoring_case(text, "permission denied");
  notes.unread(key.empty() ? text : key, denied ? "permission denied" : text, denied ? "root" : "");
  return true;
}

void read(const Output& output, Notes& notes) {
  notes.each_line(output, [&](const Line& line) {
    if (line.text.front() == '#' || line.text.front() == ';') return true;  // of a sysctl.conf
    if (read_complaint(line.text, notes)) return true;
    const auto pair = setting_of(line.text);
    if (!pair) return false;
    const std::string value = with_single_spaces(pair->value);
    notes.setting(std::string(pair->key), value, line);
    read_known(pair->key, value, line, notes);
    return true;
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser sysctl;
const Recogniser sysctl{"sysctl", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
