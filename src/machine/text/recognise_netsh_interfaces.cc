// SPDX-License-Identifier: Apache-2.0
// `netsh int ip show interfaces`, `... subinterfaces` and `... offload`. The tables are told by
// their columns, which are the same in every language.
#include <limits>
#include <optional>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

constexpr std::size_t kColumns = 5;

/// The text from the fifth word on: names of interfaces hold blanks.
std::string_view name_of(std::string_view line, const Words& words) {
  return line.substr(static_cast<std::size_t>(words[kColumns - 1].data() - line.data()));
}

/// Idx Met MTU State Name, or MTU MediaSenseState BytesIn BytesOut Interface.
bool is_row(const Words& words) {
  return words.size() >= kColumns && whole_number(words[0]) && whole_number(words[1]) &&
         whole_number(words[2]);
}

bool is_table_rule(std::string_view line) {
  return is_word_of(line, "- ") && columns_of_rule(line).size() == kColumns;
}

std::optional<std::string_view> offload_heading(std::string_view line) {
  const Words words = words_of(line);
  if (words.size() < 3 || words[0] != "Interface" || !words[1].ends_with(':')) return std::nullopt;
  if (!whole_number(words[1].substr(0, words[1].size() - 1))) return std::nullopt;
  return line.substr(static_cast<std::size_t>(words[2].data() - line.data()));
}

bool recognises(const Output& rest) {
  if (offload_heading(rest.lines.front().text)) return true;
  return rest.lines.size() >= 3 && is_table_rule(rest.lines[1].text) &&
         is_row(words_of(rest.lines[2].text));
}

/// Windows writes the largest number where there is no limit (loopback).
void set_mtu(InterfaceFacts& interface, std::uint32_t mtu_bytes, const Command& command) {
  if (mtu_bytes == std::numeric_limits<std::uint32_t>::max()) return;
  if (command.has("ipv6")) {
    interface.properties["ipv6.mtu"] = std::to_string(mtu_bytes);
  } else {
    interface.mtu_bytes = mtu_bytes;
  }
}

bool read_interface(const Words& words, const Line& line, const Command& command, Notes& notes) {
  const auto index = whole_number32(words[0]);
  const auto mtu_bytes = whole_number32(words[2]);
  if (!index || !mtu_bytes) return false;
  InterfaceFacts& interface = notes.interface(name_of(line.text, words), line);
  interface.index = *index;
  set_mtu(interface, *mtu_bytes, command);
  // "connected" and "disconnected" are translated, but one holds the other in most languages.
  if (words[3] == "connected" || words[3] == "disconnected") {
    interface.carrier = words[3] == "connected";
  }
  return true;
}

bool read_subinterface(const Words& words, const Line& line, const Command& command, Notes& notes) {
  const auto mtu_bytes = whole_number32(words[0]);
  const auto in = whole_number(words[2]);
  const auto out = whole_number(words[3]);
  if (!mtu_bytes || !in || !out) return false;
  InterfaceFacts& interface = notes.interface(name_of(line.text, words), line);
  set_mtu(interface, *mtu_bytes, command);
  interface.statistics["rx_bytes"] = *in;
  interface.statistics["tx_bytes"] = *out;
  return true;
}

/// "tcp large send offload supported." and the like: the words stay the key.
bool read_offload(std::string_view interface, const Line& line, Notes& notes) {
  if (interface.empty()) return false;
  std::string_view text = trim(line.text);
  while (text.ends_with('.')) text.remove_suffix(1);
  const bool is_supported = text.ends_with(" supported");
  if (is_supported) text.remove_suffix(10);
  const bool is_denied = text.ends_with(" not");
  if (is_denied) text.remove_suffix(4);
  if (!is_supported) return false;
  notes.interface(interface, line).properties["netsh.offload." + kebab(text)] =
      is_denied ? "not supported" : "supported";
  return true;
}

void read(const Output& output, Notes& notes) {
  std::string_view offload_interface;
  for (std::size_t at = 0; at < output.lines.size(); ++at) {
    const Line& line = output.lines[at];
    const bool is_header = at + 1 < output.lines.size() && is_table_rule(output.lines[at + 1].text);
    if (line.text.empty() || is_table_rule(line.text) || is_header) continue;
    if (const auto heading = offload_heading(line.text)) {
      offload_interface = *heading;
      continue;
    }
    const Words words = words_of(line.text);
    const bool understood = !is_row(words) ? read_offload(offload_interface, line, notes)
                            : whole_number(words[3])
                                ? read_subinterface(words, line, output.command, notes)
                                : read_interface(words, line, output.command, notes);
    if (!understood) notes.not_understood(line);
  }
}

}  // namespace

namespace recognisers {
extern const Recogniser netsh_interfaces;
const Recogniser netsh_interfaces{"netsh_interfaces", Platform::windows, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
