// SPDX-License-Identifier: Apache-2.0
// `esxcli network nic list`, `... nic get`, `... nic stats get`, and `esxcfg-nics -l`.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

using Cells = std::vector<std::string_view>;

bool is_list_header(std::string_view line) {
  return line.starts_with("Name") && line.contains("PCI") && line.contains("Driver") &&
         line.contains("MAC Address");
}

/// The first lines of `nic get`: no other output has both.
bool is_get(Lines lines) {
  if (lines.front().text.empty() || lines.front().text.front() != ' ') return false;
  const std::string_view first = trim(lines.front().text);
  return first.starts_with("Advertised Auto Negotiation:");
}

constexpr std::string_view kStatistics = "NIC statistics for ";

bool recognises(const Output& rest) {
  return is_list_header(rest.lines.front().text) || is_get(rest.lines) ||
         rest.lines.front().text.starts_with(kStatistics);
}

std::int64_t mbit(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, 10'000'000) * 1'000'000);
}

void set_link(InterfaceFacts& interface, std::string_view state) {
  if (same_ignoring_case(state, "up")) interface.carrier = true;
  if (same_ignoring_case(state, "down")) interface.carrier = false;
}

void set_duplex(InterfaceFacts& interface, std::string_view duplex) {
  if (same_ignoring_case(duplex, "full")) interface.duplex = "full";
  if (same_ignoring_case(duplex, "half")) interface.duplex = "half";
}

void set_column(std::string_view name, std::string_view value, InterfaceFacts& interface) {
  if (name == "PCI Device" || name == "PCI") interface.bus = value;
  if (name == "Driver") interface.driver = value;
  if (name == "Link" || name == "Link Status") set_link(interface, value);
  if (name == "Admin Status") interface.up = same_ignoring_case(value, "up");
  if (name == "Duplex") set_duplex(interface, value);
  if (name == "MTU") interface.mtu_bytes = whole_number32(value);
  if (name == "Description") interface.alias = value;
  if (name == "Speed") {
    // "10000", or "10000Mbps" in esxcfg-nics.
    const auto value_mbit = leading_number(value);
    if (value_mbit && *value_mbit > 0 && *value_mbit < 1e7) {
      interface.speed_bps = mbit(static_cast<std::uint64_t>(*value_mbit));
    }
  }
}

/// `nic get`: values are indented, those of the driver deeper. The name stands among them.
class Details {
 public:
  bool read(const Line& line) {
    const auto pair = pair_of(line.text);
    if (!pair) return false;
    if (pair->key == "Name") name_ = pair->value;
    pairs_.emplace_back(pair->key, pair->value);
    return true;
  }
  void store(const Command& command, const Line& line, Notes& notes) {
    if (pairs_.empty()) return;
    const std::string_view asked = command.after("-n");
    const std::string_view name = !name_.empty()  ? name_
                                  : asked.empty() ? kUnnamedInterface
                                                  : asked;
    InterfaceFacts& interface = notes.interface(name, line);
    for (const auto& [key, value] : pairs_) set(key, value, interface);
    pairs_.clear();
    name_ = {};
  }

 private:
  static void set(std::string_view key, std::string_view value, InterfaceFacts& interface) {
    if (key == "Bus Info") interface.bus = value;
    if (key == "Driver") interface.driver = value;
    if (key == "Firmware Version") interface.firmware = value;
    if (key == "Version") interface.driver_version = value;
    if (key == "Link Status") set_link(interface, value);
    if (key == "Auto Negotiation" || key.starts_with("Pause")) {
      interface.properties[kebab(key)] = value;
    }
  }

  std::string_view name_;
  std::vector<std::pair<std::string_view, std::string_view>> pairs_;
};

/// The kernel's names for `nic stats get`'s.
bool read_statistic(std::string_view line, InterfaceFacts& interface) {
  constexpr auto kNames = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"Packets received", "rx_packets"},
       {"Packets sent", "tx_packets"},
       {"Bytes received", "rx_bytes"},
       {"Bytes sent", "tx_bytes"},
       {"Receive packets dropped", "rx_dropped"},
       {"Transmit packets dropped", "tx_dropped"},
       {"Total receive errors", "rx_errors"},
       {"Receive length errors", "rx_length_errors"},
       {"Receive over errors", "rx_over_errors"},
       {"Receive CRC errors", "rx_crc_errors"},
       {"Receive frame errors", "rx_frame_errors"},
       {"Receive FIFO errors", "rx_fifo_errors"},
       {"Receive missed errors", "rx_missed_errors"},
       {"Total transmit errors", "tx_errors"},
       {"Transmit aborted errors", "tx_aborted_errors"},
       {"Transmit carrier errors", "tx_carrier_errors"},
       {"Transmit FIFO errors", "tx_fifo_errors"}});
  const auto pair = pair_of(line);
  const auto value = pair ? whole_number(pair->value) : std::nullopt;
  if (!value) return false;
  const auto found =
      std::ranges::find(kNames, pair->key, &std::pair<std::string_view, std::string_view>::first);
  interface.statistics[found == kNames.end() ? kebab(pair->key) : std::string(found->second)] =
      *value;
  return true;
}

/// Columns begin where the header's names do; they are parted by two blanks in esxcli's header.
/// esxcfg-nics parts some by one, but its names are single words except the first two.
std::vector<std::size_t> columns_of(Lines lines, std::size_t at) {
  const bool has_rule = at + 1 < lines.size() && is_rule(lines[at + 1].text);
  if (has_rule) return columns_of_rule(lines[at + 1].text);
  std::string header(lines[at].text);
  const std::size_t mac = header.find("MAC Address");
  if (mac != std::string::npos) header[mac + 3] = '_';
  return columns_of_header(header);
}

void read(const Output& output, Notes& notes) {
  std::vector<std::size_t> columns;
  Cells names;
  std::string statistics_of;
  Details details;
  for (std::size_t at = 0; at < output.lines.size(); ++at) {
    const Line& line = output.lines[at];
    if (line.text.empty() || is_rule(line.text)) continue;
    if (is_get(output.lines.subspan(at))) {
      details.store(output.command, line, notes);
      names.clear();
      statistics_of.clear();
    }
    if (is_list_header(line.text)) {
      columns = columns_of(output.lines, at);
      names = cells_of(line.text, columns);
    } else if (line.text.starts_with(kStatistics)) {
      statistics_of = between(line.text, kStatistics, ":");
    } else if (!statistics_of.empty()) {
      if (!read_statistic(line.text, notes.interface(statistics_of, line))) {
        notes.not_understood(line);
      }
    } else if (!names.empty()) {
      const auto cells = cells_of(line.text, columns);
      if (cells.front().empty()) {
        notes.not_understood(line);
        continue;
      }
      InterfaceFacts& interface = notes.interface(cells.front(), line);
      for (std::size_t column = 1; column < cells.size(); ++column) {
        set_column(names[column], cells[column], interface);
      }
    } else if (!details.read(line)) {
      notes.not_understood(line);
    }
  }
  details.store(output.command, output.lines.front(), notes);
}

}  // namespace

namespace recognisers {
extern const Recogniser esxcli_nic;
const Recogniser esxcli_nic{"esxcli_nic", Platform::esxi, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
