// SPDX-License-Identifier: Apache-2.0
// Addresses as text, and back.
#include "facts/address.h"

#include <arpa/inet.h>

#include <iterator>

#include <fmt/format.h>

namespace slowpath {
namespace {

unsigned group_at(const IpAddress& address, int index) {
  const auto i = static_cast<std::size_t>(index) * 2;
  return static_cast<unsigned>(address.bytes[i]) << 8 | address.bytes[i + 1];
}

std::string dotted(const std::uint8_t* bytes) {
  return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

struct Run {
  int begin = 8;
  int len = 0;
};

/// The longest run of zero groups, the first of equals; a single zero group is not shortened
/// (RFC 5952 section 4.2).
Run longest_zero_run(const IpAddress& address) {
  Run best;
  for (int i = 0; i < 8;) {
    int end = i;
    while (end < 8 && group_at(address, end) == 0) ++end;
    if (end - i > best.len) best = {i, end - i};
    i = end + 1;
  }
  return best.len >= 2 ? best : Run{};
}

/// An IPv4-mapped address, ::ffff:0:0/96 (RFC 4291 section 2.5.5.2), is shown with its IPv4 part
/// dotted (RFC 5952 section 5).
bool is_ipv4_mapped(const IpAddress& address) {
  for (int i = 0; i < 5; ++i) {
    if (group_at(address, i) != 0) return false;
  }
  return group_at(address, 5) == 0xffff;
}

std::string ipv6_text(const IpAddress& address) {
  if (is_ipv4_mapped(address)) return "::ffff:" + dotted(address.bytes.data() + 12);
  const Run zeros = longest_zero_run(address);
  std::string text;
  for (int i = 0; i < 8; ++i) {
    if (i == zeros.begin) {
      text += "::";
      i += zeros.len - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    fmt::format_to(std::back_inserter(text), "{:x}", group_at(address, i));
  }
  return text;
}

}  // namespace

std::string to_string(const IpAddress& address) {
  switch (address.version) {
    case 4:
      return dotted(address.bytes.data());
    case 6:
      return ipv6_text(address);
    default:
      return "none";
  }
}

std::string in_brackets(const IpAddress& address) {
  return address.version == 6 ? "[" + to_string(address) + "]" : to_string(address);
}

std::string to_string(const Endpoint& endpoint) {
  return fmt::format("{}:{}", in_brackets(endpoint.address), endpoint.port);
}

std::optional<IpAddress> parse_address(std::string_view text) {
  const std::string terminated{text};
  IpAddress address;
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes.data()) == 1) {
    address.version = 4;
  } else if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) {
    address.version = 6;
  } else {
    return std::nullopt;
  }
  return address;
}

}  // namespace slowpath
