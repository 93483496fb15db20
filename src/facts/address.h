// SPDX-License-Identifier: Apache-2.0
// Addresses and endpoints, as seen in packets.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slowpath {

/// An IPv4 or IPv6 address. IPv4 sits in the first four bytes; the rest is zero.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t version = 0;  // 4, 6, or 0 for "none"

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// "10.0.0.1", "2001:db8::1" (RFC 5952).
std::string to_string(const IpAddress& address);
/// "10.0.0.1", "[2001:db8::1]": where a port may follow.
std::string in_brackets(const IpAddress& address);
/// "10.0.0.1:80", "[2001:db8::1]:80".
std::string to_string(const Endpoint& endpoint);

/// The reverse of to_string(): dotted IPv4 or any form of IPv6 (inet_pton(3)), without a zone;
/// nothing for another text.
std::optional<IpAddress> parse_address(std::string_view text);

}  // namespace slowpath
