// SPDX-License-Identifier: Apache-2.0
// Reads ends out of settings and writes them into packets.
#include "lab/nat.h"

#include <charconv>
#include <cstring>

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

// RFC 826 over Ethernet: the frame's header, then 28 bytes.
constexpr std::uint32_t kArpLen = 14 + 28;
constexpr std::uint32_t kOperationAt = 20, kSenderAt = 28, kTargetAt = 38;
constexpr std::uint16_t kQuestion = 1, kAnswer = 2;

bool rewrite_arp(Frame& frame, std::uint16_t operation, std::uint32_t at, const IpAddress& from,
                 const IpAddress& to) {
  const bool is_arp = frame.len >= kArpLen && load_be16(frame.data + 12) == 0x0806 &&
                      load_be16(frame.data + 16) == 0x0800 &&
                      load_be16(frame.data + kOperationAt) == operation;
  if (!is_arp || from.version != 4 || to.version != 4) return false;
  if (std::memcmp(frame.data + at, from.bytes.data(), 4) != 0) return false;
  std::memcpy(frame.data + at, to.bytes.data(), 4);
  return true;
}

}  // namespace

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

bool rewrite_arp_question(Frame& frame, const IpAddress& from, const IpAddress& to) {
  return rewrite_arp(frame, kQuestion, kTargetAt, from, to);
}

bool rewrite_arp_answer(Frame& frame, const IpAddress& from, const IpAddress& to) {
  return rewrite_arp(frame, kAnswer, kSenderAt, from, to);
}

}  // namespace slowpath::lab
