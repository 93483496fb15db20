// SPDX-License-Identifier: Apache-2.0
// METRIC@DESTINATION: what a knob of a route is called (route_knob.h says what its values mean).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "facts/address.h"

namespace slowpath::fix {

/// A metric by its name in ip-route(8), and its number in rtnetlink(7).
struct RouteMetric {
  std::string_view word;
  unsigned type;
};
/// "mtu", "advmss", "initcwnd", "initrwnd", "window", "rto_min" or "quickack"; else nullptr.
const RouteMetric* find_route_metric(std::string_view word);

/// In place of a metric: the gateway, which is only read.
inline constexpr std::string_view kGatewayWord = "via";
/// Likewise: who made the route, "dhcp", "static", "kernel" ..., or a number (rtnetlink(7)).
inline constexpr std::string_view kProtocolWord = "proto";
/// Likewise: the address that packets to there are sent from, where the route names one.
inline constexpr std::string_view kSourceWord = "src";
/// One of these three.
bool is_told_word(std::string_view word);

struct RouteDestination {
  unsigned char family = 0;  // AF_INET, AF_INET6
  unsigned char length = 0;  // of the prefix; 0: the default route
  IpAddress address;

  [[nodiscard]] std::size_t address_bytes() const { return address_bits() / 8; }
  [[nodiscard]] bool is_host() const { return length == address_bits(); }
  /// As in a packet; valid as long as this.
  [[nodiscard]] Bytes bytes() const {
    return std::as_bytes(std::span(address.bytes)).first(address_bytes());
  }
  [[nodiscard]] std::size_t address_bits() const;
};

/// An item taken apart; its word is part of the text.
struct RouteItem {
  std::string_view word;
  RouteDestination to;
};
/// nullopt where the destination cannot be read; any word will do.
std::optional<RouteItem> parse_route_item(std::string_view item);

/// "mtu@10.0.0.2/32" with a metric that is known and a destination that can be read; also
/// "via@...", "proto@..." and "src@...".
bool is_route_item(std::string_view item);
/// As in an item: "10.0.0.2" is "10.0.0.2/32", "0.0.0.0/0" is "default". Empty where it cannot be
/// read.
std::string destination_of(std::string_view text);

}  // namespace slowpath::fix
