// SPDX-License-Identifier: Apache-2.0
// `ip link`, `ip addr`, with -d and -s.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "machine/text/ip_words.h"
#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

struct Heading {
  std::uint32_t index = 0;
  std::string_view name, lower, flags;
  Words words;  // after the flags
};

/// "2: eth0@if5: <BROADCAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP ... qlen 1000".
std::optional<Heading> heading_of(std::string_view line) {
  if (!line.contains(": <")) return std::nullopt;
  const Words words = words_of(line);
  if (words.size() < 3 || !words[0].ends_with(':') || !words[1].ends_with(':')) return std::nullopt;
  const auto index = whole_number32(words[0].substr(0, words[0].size() - 1));
  if (!index || !words[2].starts_with('<') || !words[2].ends_with('>')) return std::nullopt;
  Heading heading;
  heading.index = *index;
  heading.name = words[1].substr(0, words[1].size() - 1);
  if (const auto at = heading.name.find('@'); at != std::string_view::npos) {
    heading.lower = heading.name.substr(at + 1);
    heading.name = heading.name.substr(0, at);
  }
  heading.flags = words[2].substr(1, words[2].size() - 2);
  heading.words.assign(words.begin() + 3, words.end());
  return heading;
}

bool recognises(const Output& rest) { return heading_of(rest.lines.front().text).has_value(); }

bool has_flag(std::string_view flags, std::string_view flag) {
  while (!flags.empty()) {
    const std::size_t end = std::min(flags.find(','), flags.size());
    if (flags.substr(0, end) == flag) return true;
    flags.remove_prefix(std::min(flags.size(), end + 1));
  }
  return false;
}

void read_heading(const Heading& heading, InterfaceFacts& interface) {
  interface.index = heading.index;
  // "if5" is a number of another namespace, "NONE" is nothing.
  if (!heading.lower.starts_with("if") && heading.lower != "NONE") interface.lower = heading.lower;
  interface.up = has_flag(heading.flags, "UP");
  // A device that is down does not show its carrier.
  if (*interface.up) interface.carrier = has_flag(heading.flags, "LOWER_UP");
  interface.promiscuous = has_flag(heading.flags, "PROMISC");
  interface.mtu_bytes = whole_number32(word_after(heading.words, "mtu"));
  interface.qdisc = word_after(heading.words, "qdisc");
  interface.master = word_after(heading.words, "master");
  const std::string_view state = word_after(heading.words, "state");
  if (!state.empty()) interface.properties["operstate"] = lower(state);
  if (const auto len = whole_number32(word_after(heading.words, "qlen"))) {
    interface.tx_queue_len = len;
  }
}

constexpr auto kSizes =
    std::to_array<std::pair<std::string_view, std::string_view>>({{"gso_max_size", "gso_max_size"},
                                                                  {"gso_max_segs", "gso_max_segs"},
                                                                  {"gro_max_size", "gro_max_size"},
                                                                  {"tso_max_size", "tso_max_size"},
                                                                  {"numtxqueues", "num_tx_queues"},
                                                                  {"numrxqueues", "num_rx_queues"},
                                                                  {"parentbus", "parent_bus"},
                                                                  {"parentdev", "parent_device"}});

/// They stand on the line of the address, or on that of the kind.
void read_sizes(const Words& words, InterfaceFacts& interface) {
  for (const auto& [word, property] : kSizes) {
    const std::string_view value = word_after(words, word);
    if (!value.empty()) interface.properties[std::string(property)] = value;
  }
}

/// "link/ether 00:50:56:00:00:01 brd ... promiscuity 0 minmtu 60 maxmtu 9000 ...".
void read_link_words(const Words& words, InterfaceFacts& interface) {
  if (const auto most = whole_number32(word_after(words, "maxmtu")); most && *most > 0) {
    interface.mtu_max_bytes = most;
  }
  read_sizes(words, interface);
  if (words.front() == "link/none" || words.front() == "link/ether") return;
  const std::string_view type = words.front().substr(5);
  // Tunnels without -d: the link type is the kind.
  if (type == "loopback") interface.kind = type;
  if (type == "ipip" || type == "gre" || type == "sit" || type == "tunnel6") interface.kind = type;
}

/// RX: and TX: of -s: a line of names, then a line of values.
class Statistics {
 public:
  /// Whether the line was one of the two.
  bool read(const Words& words, InterfaceFacts& interface) {
    if (words.front() == "RX:" || words.front() == "TX:") {
      side_ = words.front() == "RX:" ? "rx_" : "tx_";
      names_.assign(words.begin() + 1, words.end());
      is_errors_ = false;
      return true;
    }
    if ((words.front() == "RX" || words.front() == "TX") && words.size() > 2 &&
        words[1] == "errors:") {
      side_ = words.front() == "RX" ? "rx_" : "tx_";
      names_.assign(words.begin() + 2, words.end());
      is_errors_ = true;
      return true;
    }
    if (names_.empty() || words.size() != names_.size()) return false;
    for (std::size_t at = 0; at < words.size(); ++at) {
      const auto value = whole_number(words[at]);
      if (!value) return false;
      interface.statistics[statistic_name(names_[at])] = *value;
    }
    names_.clear();
    return true;
  }
  void reset() { names_.clear(); }

 private:
  /// The kernel's names (rtnl_link_stats64) for ip's columns.
  std::string statistic_name(std::string_view column) const {
    if (column == "mcast") return "multicast";
    if (column == "collsns") return "collisions";
    if (column == "missed") return "rx_missed_errors";
    if (column == "transns") return "carrier_changes";  // of -s -s
    if (column == "overrun") return side_ + "over_errors";
    if (is_errors_) return side_ + std::string(column) + "_errors";
    if (column == "carrier") return "tx_carrier_errors";
    return side_ + std::string(column);
  }

  std::string side_;
  std::vector<std::string_view> names_;
  bool is_errors_ = false;
};

bool read_address(const Words& words, InterfaceFacts& interface) {
  if (words.size() < 2 || (words[0] != "inet" && words[0] != "inet6")) return false;
  const auto address = address_of(words[1].substr(0, words[1].find('/')));
  if (address && std::ranges::count(interface.addresses, *address) == 0) {
    interface.addresses.push_back(*address);
  }
  return address.has_value();
}

bool read_detail(const Words& words, InterfaceFacts& interface, Statistics& statistics) {
  if (statistics.read(words, interface)) return true;
  if (words.front().starts_with("link/")) {
    read_link_words(words, interface);
    // -d puts them on the same line.
    if (const auto kind = kind_among(words)) interface.kind = *kind;
    return true;
  }
  if (read_address(words, interface)) return true;
  if (words.front() == "alias") {
    interface.alias = words.size() > 1 ? words[1] : std::string_view{};
    return true;
  }
  if (is_kind(words.front())) {
    read_kind(words, interface);
    read_sizes(words, interface);
    return true;
  }
  return is_known_detail(words.front());
}

void read(const Output& output, Notes& notes) {
  std::string current;
  Statistics statistics;
  notes.each_line(output, [&](const Line& line) {
    if (const auto heading = heading_of(line.text)) {
      current = heading->name;
      statistics.reset();
      read_heading(*heading, notes.interface(current, line));
      return true;
    }
    const Words words = words_of(line.text);
    if (current.empty() || !line.text.starts_with(' ') || words.empty()) return false;
    return read_detail(words, notes.interface(current, line), statistics);
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser ip_link;
const Recogniser ip_link{"ip_link", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
