// SPDX-License-Identifier: Apache-2.0
#include "cli/selection.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/format.h"

namespace slowpath::cli {
namespace {

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "10.0.0.1:80" or "[2001:db8::1]:80".
std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = parse_address(host);
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!address || !port) return std::nullopt;
  return Endpoint{*address, *port};
}

Time resolve(const TimeBound& bound, Time start) {
  if (const Time* instant = std::get_if<Time>(&bound)) return *instant;
  return start + std::get<Duration>(bound);
}

}  // namespace

Result<TimeBound> parse_time_bound(std::string_view text) {
  constexpr double kMostSeconds = 9e9;  // what 64 bits of nanoseconds hold
  if (const auto seconds = parse_number<double>(text);
      seconds && *seconds >= 0 && *seconds < kMostSeconds) {
    return from_seconds(*seconds);
  }
  if (const auto duration = parse_duration(text)) return *duration;
  if (const auto time = parse_time_utc(text)) return *time;
  return fail(ErrorKind::usage, fmt::format("cannot read the time '{}'", text),
              "it is neither seconds from the first packet ('12.5', '250ms') nor UTC "
              "('2026-11-20T10:22:07.5Z')");
}

AbsoluteWindow resolve(const TimeWindow& window, Time capture_start) {
  AbsoluteWindow absolute;
  if (window.from) absolute.begin = resolve(*window.from, capture_start);
  if (window.to) absolute.end = resolve(*window.to, capture_start);
  return absolute;
}

Result<ConnectionChoice> parse_connection(std::string_view text) {
  if (const auto id = parse_number<std::uint32_t>(text)) return *id;
  const std::size_t dash = text.find('-');
  if (dash != std::string_view::npos) {
    const auto a = parse_endpoint(text.substr(0, dash));
    const auto b = parse_endpoint(text.substr(dash + 1));
    if (a && b) return Ends{*a, *b};
  }
  return fail(ErrorKind::usage, fmt::format("cannot read the connection '{}'", text),
              "it is neither a number as --all lists them nor ADDRESS:PORT-ADDRESS:PORT");
}

bool matches(const ConnectionChoice& choice, const ConnectionFacts& connection) {
  if (const auto* id = std::get_if<std::uint32_t>(&choice)) return connection.id == *id;
  const Ends& ends = std::get<Ends>(choice);
  return (ends.a == connection.client && ends.b == connection.server) ||
         (ends.b == connection.client && ends.a == connection.server);
}

bool keep_connection(Case& facts, const ConnectionChoice& choice) {
  std::erase_if(facts.connections,
                [&](const ConnectionFacts& connection) { return !matches(choice, connection); });
  const auto is_gone = [&](std::uint32_t id) {
    return !std::ranges::binary_search(facts.connections, id, {}, &ConnectionFacts::id);
  };
  for (PathFacts& path : facts.paths) std::erase_if(path.connections, is_gone);
  std::erase_if(facts.paths, [](const PathFacts& path) { return path.connections.empty(); });
  facts.connections_total = facts.connections.size();
  return !facts.connections.empty();
}

}  // namespace slowpath::cli
