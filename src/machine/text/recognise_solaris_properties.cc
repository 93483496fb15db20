// SPDX-License-Identifier: Apache-2.0
// `dladm show-linkprop`, `ipadm show-prop`, `ipadm show-ifprop`: columns under a header in capital
// letters. A cell without a value is "--"; only the last column holds blanks or goes on below.
#include <algorithm>
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

enum class Table { none, link_property, property, interface_property };

Table table_of(const Words& header) {
  const auto has = [&header](std::string_view name) {
    return std::ranges::count(header, name) > 0;
  };
  if (header.size() < 4 || !has("PROPERTY")) return Table::none;
  if (header[0] == "LINK" && has("VALUE")) return Table::link_property;
  if (header[0] == "PROTO" && has("CURRENT")) return Table::property;
  if (header[0] == "IFNAME" && has("CURRENT")) return Table::interface_property;
  return Table::none;
}

bool recognises(const Output& rest) { return table_of(rest.words) != Table::none; }

/// The cell under a name. Words count, since values wider than their column push the rest aside.
std::string_view cell(const Words& header, const Words& row, std::string_view name) {
  const auto at = static_cast<std::size_t>(std::ranges::find(header, name) - header.begin());
  if (at >= row.size()) return {};
  return row[at] == "--" ? std::string_view{} : row[at];
}

/// "1G" is how show-phys writes it, but linkprop's speed is in Mbit/s.
void read_link_property(std::string_view property, std::string_view value,
                        InterfaceFacts& interface) {
  interface.properties[std::string(property)] = value;
  if (property == "mtu") interface.mtu_bytes = whole_number32(value);
  if (property == "duplex" && (value == "full" || value == "half")) interface.duplex = value;
  if (property == "speed") {
    if (const auto mbit = real_number(value); mbit && *mbit > 0) {
      interface.speed_bps = static_cast<std::int64_t>(*mbit * 1e6);
    }
  }
  if (property == "lro") interface.features["rx-lro"].on = truth_of(value).value_or(false);
}

bool read_row(Table table, const Words& header, const Line& line, Notes& notes) {
  const Words row = words_of(line.text);
  const std::string_view property = cell(header, row, "PROPERTY");
  const std::string_view permission = cell(header, row, "PERM");
  if (property.empty() || row.size() < 4) return false;
  // "rw", "r-", "-w": what stands there tells a row from the rest of a wrapped one.
  if (!permission.empty() && !is_word_of(permission, "rw-")) return false;
  const std::string name(property);
  if (table == Table::link_property) {
    const std::string_view value = cell(header, row, "VALUE");
    if (value.empty()) return true;
    notes.setting("dladm." + std::string(row[0]) + "." + name, value, line);
    read_link_property(property, value, notes.interface(row[0], line));
    return true;
  }
  const std::string_view value = cell(header, row, "CURRENT");
  if (value.empty()) return true;
  const std::string protocol(cell(header, row, "PROTO"));
  if (table == Table::property) {
    notes.setting("ipadm." + protocol + "." + name, value, line);
  } else {
    notes.setting("ipadm." + std::string(row[0]) + "." + protocol + "." + name, value, line);
    if (property == "mtu" && protocol == "ipv4") {
      notes.interface(row[0], line).mtu_bytes = whole_number32(value);
    }
  }
  return true;
}

void read(const Output& output, Notes& notes) {
  Table table = Table::none;
  Words header;
  notes.each_line(output, [&](const Line& line) {
    const Words words = words_of(line.text);
    if (table_of(words) != Table::none) {
      table = table_of(words);
      header = words;
      return true;
    }
    // The possible values of a property go on below it.
    if (line.text.front() == ' ' || line.text.front() == '\t') return words.size() == 1;
    return read_row(table, header, line, notes);
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser solaris_properties;
const Recogniser solaris_properties{"solaris_properties", Platform::solaris, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
