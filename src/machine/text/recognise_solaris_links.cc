// SPDX-License-Identifier: Apache-2.0
// `dladm show-link`, `dladm show-phys`, and `ndd`, which prints a number or a word alone: its key
// is in the command line.
#include <algorithm>
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

enum class Table { none, link, phys };

Table table_of(const Words& header) {
  const auto has = [&header](std::string_view name) {
    return std::ranges::count(header, name) > 0;
  };
  if (header.size() < 4 || header[0] != "LINK") return Table::none;
  if (has("CLASS") && has("MTU")) return Table::link;
  if (has("MEDIA") && has("SPEED")) return Table::phys;
  return Table::none;
}

/// "/dev/tcp" and "tcp_max_buf" of `ndd -get /dev/tcp tcp_max_buf`; nothing for another command.
std::string ndd_key(const Command& command) {
  if (command.program() != "ndd" || command.has("-set")) return {};
  for (std::size_t at = 1; at + 1 < command.words.size(); ++at) {
    const std::string_view device = command.words[at];
    if (device.starts_with("/dev/")) {
      return "ndd." + std::string(device.substr(5)) + "." + command.words[at + 1];
    }
  }
  return {};
}

bool recognises(const Output& rest) {
  const Words& words = rest.words;
  return table_of(words) != Table::none || (words.size() == 1 && !ndd_key(rest.command).empty());
}

std::string_view cell(const Words& header, const Words& row, std::string_view name) {
  const auto at = static_cast<std::size_t>(std::ranges::find(header, name) - header.begin());
  if (at >= row.size()) return {};
  return row[at] == "--" ? std::string_view{} : row[at];
}

void read_link(const Words& header, const Words& row, InterfaceFacts& interface) {
  interface.mtu_bytes = whole_number32(cell(header, row, "MTU"));
  const std::string_view state = cell(header, row, "STATE");
  if (state == "up" || state == "down") interface.carrier = state == "up";
  const std::string_view kind = cell(header, row, "CLASS");
  if (!kind.empty() && kind != "phys") interface.kind = kind == "aggr" ? "bond" : kind;
  interface.lower = cell(header, row, "OVER");
}

/// "vmxnet3s0" is instance 0 of the driver vmxnet3s. The media may be two words, so the columns
/// are counted from the end.
void read_phys(const Words& row, InterfaceFacts& interface) {
  std::string_view device = row[row.size() - 1];
  const std::string_view duplex = row[row.size() - 2];
  const std::string_view state = row[row.size() - 4];
  device = device.substr(0, device.find_last_not_of("0123456789") + 1);
  interface.driver = device;
  if (duplex == "full" || duplex == "half") interface.duplex = duplex;
  if (const auto mbit = whole_number(row[row.size() - 3]);
      mbit && *mbit > 0 && *mbit < 10'000'000) {
    interface.speed_bps = static_cast<std::int64_t>(*mbit * 1'000'000);
  }
  if (state == "up" || state == "down") interface.carrier = state == "up";
}

void read(const Output& output, Notes& notes) {
  Table table = Table::none;
  Words header;
  const std::string key = ndd_key(output.command);
  notes.each_line(output, [&](const Line& line) {
    const Words words = words_of(line.text);
    if (table_of(words) != Table::none) {
      table = table_of(words);
      header = words;
      return true;
    }
    if (table == Table::none && words.size() == 1 && !key.empty()) {
      notes.setting(key, words[0], line);
      return true;
    }
    if (table == Table::none || words.size() < (table == Table::link ? 4U : 6U)) return false;
    if (table == Table::link) {
      read_link(header, words, notes.interface(words[0], line));
    } else {
      read_phys(words, notes.interface(words[0], line));
    }
    return true;
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser solaris_links;
const Recogniser solaris_links{"solaris_links", Platform::solaris, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
