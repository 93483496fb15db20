// SPDX-License-Identifier: Apache-2.0
// `ethtool -g`, `-l`, `-c`, `-a` ("Ring parameters for eth0:" and the like) and `-x`.
#include <optional>
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

using Value = std::optional<std::uint32_t>;

struct Place {
  std::string kind;  // "Ring", "Channel", "Coalesce", "Pause", "flow"
  std::string interface;
  bool is_maximum = false;
};

constexpr std::string_view kHashTitle = "RX flow hash indirection table for ";

std::optional<Place> title_of(std::string_view line) {
  if (line.starts_with(kHashTitle)) {
    return Place{"flow", std::string(between(line, kHashTitle, " ")), false};
  }
  for (const std::string_view kind : {"Ring", "Channel", "Coalesce", "Pause"}) {
    const std::string title = std::string(kind) + " parameters for ";
    if (line.starts_with(title))
      return Place{std::string(kind), std::string(between(line, title, ":")), false};
  }
  return std::nullopt;
}

bool recognises(const Output& rest) { return title_of(rest.lines.front().text).has_value(); }

void read_ring(std::string_view key, Value value, bool is_maximum, RingFacts& rings) {
  if (key == "RX") (is_maximum ? rings.rx_max : rings.rx) = value;
  if (key == "TX") (is_maximum ? rings.tx_max : rings.tx) = value;
}

void read_channel(std::string_view key, Value value, bool is_maximum, ChannelFacts& channels) {
  if (key == "RX") (is_maximum ? channels.rx_max : channels.rx) = value;
  if (key == "TX") (is_maximum ? channels.tx_max : channels.tx) = value;
  if (key == "Combined") (is_maximum ? channels.combined_max : channels.combined) = value;
}

void read_coalesce(std::string_view key, Value value, CoalesceFacts& coalesce) {
  if (key == "rx-usecs") coalesce.rx_us = value;
  if (key == "rx-frames") coalesce.rx_frames = value;
  if (key == "tx-usecs") coalesce.tx_us = value;
  if (key == "tx-frames") coalesce.tx_frames = value;
}

/// "Adaptive RX: off  TX: off"; "CQE mode RX: n/a  TX: n/a" has no place.
bool read_adaptive(std::string_view line, CoalesceFacts& coalesce) {
  const Words words = words_of(line);
  if (words.size() >= 3 && words[0] == "CQE") return true;
  if (words.size() < 3 || words[0] != "Adaptive") return false;
  coalesce.adaptive_rx = truth_of(word_after(words, "RX:"));
  coalesce.adaptive_tx = truth_of(word_after(words, "TX:"));
  return true;
}

/// "    8:      0     1     2     3", "RSS hash function:", "    toeplitz: on".
bool read_hash(std::string_view line, RssFacts& rss) {
  const auto pair = pair_of(line);
  if (!pair) return line.contains(':') || is_word_of(trim(line), "0123456789abcdef:");
  if (whole_number(pair->key) && !pair->value.contains(':')) {
    for (const std::string_view word : words_of(pair->value)) {
      if (const auto queue = whole_number32(word)) rss.indirection.push_back(*queue);
    }
    return true;
  }
  if (pair->key.starts_with("RSS") || pair->value.contains(':')) return true;
  if (truth_of(pair->value) == true) rss.hash = pair->key;
  return truth_of(pair->value).has_value();
}

bool read_value(const Place& place, std::string_view line, InterfaceFacts& interface) {
  if (place.kind == "flow") return read_hash(line, interface.rss);
  if (place.kind == "Coalesce" && read_adaptive(line, interface.coalesce)) return true;
  const auto pair = pair_of(line);
  if (!pair) return false;
  if (place.kind == "Pause") {
    const std::string_view key = pair->key == "Autonegotiate" ? "autoneg" : pair->key;
    interface.properties["pause." + lower(key)] = pair->value;
    return true;
  }
  const Value value = whole_number32(pair->value);
  if (!value) return pair->value == "n/a" || truth_of(pair->value) || pair->value.empty();
  if (place.kind == "Ring") read_ring(pair->key, value, place.is_maximum, interface.rings);
  if (place.kind == "Channel") {
    read_channel(pair->key, value, place.is_maximum, interface.channels);
  }
  if (place.kind == "Coalesce") read_coalesce(pair->key, value, interface.coalesce);
  return true;
}

void read(const Output& output, Notes& notes) {
  Place place;
  notes.each_line(output, [&](const Line& line) {
    if (auto title = title_of(line.text)) {
      place = *title;
      if (place.interface.empty()) place.interface = interface_of(output.command);
      InterfaceFacts& interface = notes.interface(place.interface, line);
      if (place.kind == "flow") interface.rss.indirection.clear();
      return true;
    }
    if (line.text.starts_with("Pre-set maximums") ||
        line.text.starts_with("Current hardware settings")) {
      place.is_maximum = line.text.starts_with("Pre-set");
      return true;
    }
    return !place.interface.empty() &&
           read_value(place, line.text, notes.interface(place.interface, line));
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser ethtool_parameters;
const Recogniser ethtool_parameters{"ethtool_parameters", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
