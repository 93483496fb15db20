// SPDX-License-Identifier: Apache-2.0
// Reads ends out of settings and writes them into packets.
#include "lab/nat.h"

#include <arpa/inet.h>

#include <charconv>

#include "lab/packet_edit.h"

namespace slowpath::lab {
namespace {

std::optional<std::uint16_t> parse_port(const std::string& text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, port);
  if (code != std::errc{} || stop != end || port == 0) return std::nullopt;
  return port;
}

/// Splits at the last colon, unless that is within an IPv6 address without brackets.
std::optional<NatEnd> parse_end(const std::string& text) {
  NatEnd end;
  std::string host = text;
  const auto colon = text.rfind(':');
  const bool has_port =
      colon != std::string::npos && (text.find(':') == colon || text[colon - 1] == ']');
  if (has_port) {
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return std::nullopt;
    end.port = *port;
    host = text.substr(0, colon);
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) return end.port == 0 ? std::nullopt : std::optional{end};
  const auto address = parse_address(host);
  if (!address) return std::nullopt;
  end.address = *address;
  return end;
}

}  // namespace

std::optional<IpAddress> parse_address(const std::string& text) {
  IpAddress address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) {
    address.version = 4;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) {
    address.version = 6;
    return address;
  }
  return std::nullopt;
}

bool NatEnd::matches(const Endpoint& endpoint) const {
  return (address.version == 0 || address == endpoint.address) &&
         (port == 0 || port == endpoint.port);
}

Endpoint NatEnd::apply(Endpoint endpoint) const {
  if (address.version == endpoint.address.version) endpoint.address = address;
  if (port != 0) endpoint.port = port;
  return endpoint;
}

Result<NatEnd> read_nat_end(Settings& settings, const std::string& key) {
  const std::string text = settings.text(key);
  if (const auto end = parse_end(text)) return *end;
  return fail(ErrorKind::usage, "cannot use " + key + " = \"" + text + "\" of " + settings.where(),
              "it is an address, a port or both, such as 10.0.0.2:80, [fd00::2]:80 or :80", {});
}

void rewrite_end(Frame& frame, const PacketView& packet, bool source, const Endpoint& endpoint) {
  set_ip_address(frame, packet, source, endpoint.address);
  set_port(frame, packet, source, endpoint.port);
}

}  // namespace slowpath::lab
