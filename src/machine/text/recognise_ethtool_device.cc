// SPDX-License-Identifier: Apache-2.0
// `ethtool -i DEV` (driver), `ethtool -S DEV` (statistics) and plain `ethtool DEV` (link). The
// first two do not name the interface: the command line above them does, if there is one.
#include <optional>
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

constexpr std::string_view kSettings = "Settings for ";
constexpr std::string_view kStatistics = "NIC statistics:";

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  if (first.starts_with(kSettings) && first.ends_with(':')) return true;
  if (first == kStatistics) return true;
  return first.starts_with("driver: ") && words_of(first).size() == 2;
}

/// Lines of -i. Returns whether the key is one of its own.
bool read_driver(const Pair& pair, InterfaceFacts& interface) {
  if (pair.key == "driver") {
    interface.driver = pair.value;
  } else if (pair.key == "version") {
    interface.driver_version = pair.value;
  } else if (pair.key == "firmware-version") {
    if (pair.value != "N/A") interface.firmware = pair.value;
  } else if (pair.key == "bus-info") {
    interface.bus = pair.value;
  } else {
    return pair.key.starts_with("supports-") || pair.key == "expansion-rom-version";
  }
  return true;
}

/// Lines of plain ethtool. What spans lines (link modes) has no place, but is known.
bool read_link(const Pair& pair, InterfaceFacts& interface) {
  if (pair.key == "Speed") {
    if (const auto speed = rate_bps(pair.value)) {
      interface.speed_bps = static_cast<std::int64_t>(*speed);
    }
  } else if (pair.key == "Duplex") {
    const std::string duplex = lower(pair.value);
    if (duplex == "full" || duplex == "half") interface.duplex = duplex;
  } else if (pair.key == "Link detected") {
    interface.carrier = truth_of(pair.value.substr(0, pair.value.find(' ')));
  } else if (pair.key == "Auto-negotiation") {
    interface.properties["autoneg"] = pair.value;
  }
  return true;
}

/// vmxnet3 repeats its names for each queue: they are added up.
class Statistics {
 public:
  void start() { is_repeated_ = false; }
  bool read(const Pair& pair, InterfaceFacts& interface) {
    if (pair.key.ends_with("Queue#")) {
      is_repeated_ = true;
      return true;
    }
    const auto value = whole_number(pair.value);
    if (!value) return false;
    std::uint64_t& statistic = interface.statistics[std::string(pair.key)];
    const bool is_per_queue = is_repeated_ && !pair.key.starts_with("drv");
    statistic = is_per_queue ? statistic + *value : *value;
    return true;
  }

 private:
  bool is_repeated_ = false;
};

enum class Part { none, driver, link, statistics };

/// The last colon parts name and value: names hold colons ("rx_queue_0: packets: 5" in no driver,
/// but "[0]: rx_ucast_packets: 7" in bnx2x).
std::optional<Pair> statistic_of(std::string_view line) {
  const std::size_t colon = line.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return Pair{trim(line.substr(0, colon)), trim(line.substr(colon + 1))};
}

void read(const Output& output, Notes& notes) {
  Part part = Part::none;
  std::string interface;
  Statistics statistics;
  notes.each_line(output, [&](const Line& line) {
    const std::string_view text = line.text;
    if (text.starts_with(kSettings) && text.ends_with(':')) {
      part = Part::link;
      interface = between(text, kSettings, ":");
      (void)notes.interface(interface, line);
      return true;
    }
    if (text == kStatistics) {
      part = Part::statistics;
      interface = interface_of(output.command);
      statistics.start();
      return true;
    }
    if (text.starts_with("driver: ")) {
      part = Part::driver;
      interface = interface_of(output.command);
    }
    const auto pair = part == Part::statistics ? statistic_of(text) : pair_of(text);
    if (!pair) return part == Part::link && text.starts_with('\t');  // a list that goes on
    InterfaceFacts& facts = notes.interface(interface, line);
    if (part == Part::statistics) return statistics.read(*pair, facts);
    if (part == Part::driver) return read_driver(*pair, facts);
    return text.starts_with('\t') || text.starts_with(' ') ? read_link(*pair, facts) : false;
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser ethtool_device;
const Recogniser ethtool_device{"ethtool_device", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
