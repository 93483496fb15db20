// SPDX-License-Identifier: Apache-2.0
// `ip route`, `ip route get`, `ip route show cache`. A line "cache ... mtu N" below a route is a
// path MTU that was learnt.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

constexpr auto kTypes =
    std::to_array<std::string_view>({"unicast", "local", "broadcast", "multicast", "unreachable",
                                     "blackhole", "prohibit", "throw", "anycast"});

/// Words that only a route has.
constexpr auto kSigns = std::to_array<std::string_view>(
    {"dev", "via", "proto", "scope", "metric", "src", "nhid", "cache"});

struct Destination {
  IpAddress address;
  std::uint8_t prefix_len = 0;
};

std::optional<Destination> destination_of(std::string_view word) {
  if (word == "default") return Destination{};
  const std::size_t slash = std::min(word.find('/'), word.size());
  const auto address = address_of(word.substr(0, slash));
  if (!address) return std::nullopt;
  const std::uint32_t most = address->version == 4 ? 32 : 128;
  std::uint32_t len = most;
  if (slash < word.size()) len = whole_number32(word.substr(slash + 1)).value_or(most + 1);
  if (len > most) return std::nullopt;
  return Destination{*address, static_cast<std::uint8_t>(len)};
}

bool is_route(const Words& words) {
  if (words.empty()) return false;
  const std::size_t first = std::ranges::count(kTypes, words[0]) > 0 ? 1 : 0;
  return words.size() > first + 2 && destination_of(words[first]) &&
         std::ranges::count(kSigns, words[first + 1]) > 0;
}

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  return !first.starts_with(' ') && is_route(rest.words);
}

bool has_lock(const Words& words, std::string_view name) {
  return word_after(words, name) == "lock";
}

/// "mtu 1400", "mtu lock 1400": 1400.
std::string_view value_of(const Words& words, std::string_view name) {
  const auto found = std::ranges::find(words, name);
  const std::ptrdiff_t distance = has_lock(words, name) ? 2 : 1;
  return words.end() - found > distance ? *(found + distance) : std::string_view{};
}

std::optional<std::uint32_t> metric_of(const Words& words, std::string_view name) {
  return whole_number32(value_of(words, name));
}

void read_metrics(const Words& words, RouteFacts& route) {
  const auto set = [&words](std::optional<std::uint32_t>& field, std::string_view name) {
    if (const auto value = metric_of(words, name)) field = value;
  };
  set(route.mtu_bytes, "mtu");
  set(route.initcwnd, "initcwnd");
  set(route.initrwnd, "initrwnd");
  set(route.advmss, "advmss");
  set(route.window, "window");
  if (const auto metric = metric_of(words, "metric")) route.metric = metric;
  if (has_lock(words, "mtu")) route.mtu_locked = true;
  if (const auto ms = leading_number(value_of(words, "rto_min"))) route.rto_min_s = *ms / 1e3;
  if (const auto name = value_of(words, "congctl"); !name.empty()) route.congestion_control = name;
  if (const auto quick = metric_of(words, "quickack")) route.quickack = *quick != 0;
  const std::string_view expires = word_after(words, "expires");
  if (const auto seconds = leading_number(expires)) route.expires_s = seconds;
}

/// ip leaves the table out where it is the one that was asked for, or the main one.
std::string_view table_of(const Words& words, const Command& command) {
  const std::string_view told = word_after(words, "table");
  // Pasted without its command the answer of `get` is told by the user it is for.
  if (!told.empty() || command.has("get") || std::ranges::count(words, "uid") > 0) return told;
  const std::string_view asked = command.after("table");
  return asked.empty() || asked == "all" ? "main" : asked;
}

/// The addresses of this host, which the kernel keeps as routes.
bool is_own(const Words& words) {
  return words[0] == "local" || words[0] == "broadcast" || words[0] == "multicast" ||
         words[0] == "anycast";
}

RouteFacts route_of(const Words& words, const Command& command) {
  RouteFacts route;
  const std::size_t first = std::ranges::count(kTypes, words[0]) > 0 ? 1 : 0;
  const auto destination = destination_of(words[first]).value_or(Destination{});
  route.destination = destination.address;
  route.prefix_len = destination.prefix_len;
  route.interface = word_after(words, "dev");
  route.table = table_of(words, command);
  if (first == 1 && words[0] != "unicast") route.type = words[0];
  std::string_view gateway = word_after(words, "via");
  if (gateway == "inet6") gateway = word_after(words, "inet6");
  route.gateway = address_of(gateway);
  read_metrics(words, route);
  return route;
}

/// A second line: "    cache expires 512sec mtu 1400", or a next hop of several.
bool read_more(const Words& words, RouteFacts& route) {
  if (words.empty()) return false;
  if (words.front() == "cache") {
    read_metrics(words, route);
    route.is_exception = route.expires_s.has_value();
    return true;
  }
  if (words.front() != "nexthop") return false;
  if (route.interface.empty()) route.interface = word_after(words, "dev");
  if (!route.gateway) route.gateway = address_of(word_after(words, "via"));
  return true;
}

void read(const Output& output, Notes& notes) {
  auto& routes = notes.facts().routes;
  bool is_open = false, is_own_open = false;
  notes.each_line(output, [&](const Line& line) {
    const Words words = words_of(line.text);
    if (line.text.front() != ' ' && line.text.front() != '\t') {
      is_open = is_route(words);
      is_own_open = false;
      if (!is_open) return false;
      if (is_own(words)) {
        is_own_open = true;
        return true;
      }
      routes.push_back(route_of(words, output.command));
      routes.back().origin = notes.at(line);
      // IPv6 shows an exception on one line.
      routes.back().is_exception = routes.back().expires_s && routes.back().mtu_bytes;
      return true;
    }
    return is_own_open || (is_open && read_more(words, routes.back()));
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser ip_route;
const Recogniser ip_route{"ip_route", Platform::linux, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
