// SPDX-License-Identifier: Apache-2.0
// Stores into frames and edits of TCP headers and options that keep the checksum as right, as wrong
// or as unfinished as it was. Lengths never change; packet_view.h finds the headers.
#pragma once

#include <cstdint>
#include <optional>

#include "facts/address.h"
#include "lab/frame.h"
#include "lab/packet_view.h"

namespace slowpath::lab {

// Stores in network order at a position the caller has checked.
void store_u8(std::byte* at, std::uint8_t value);
void store_be16(std::byte* at, std::uint16_t value);
void store_be32(std::byte* at, std::uint32_t value);

/// Replaces bytes that the transport checksum of TCP or UDP covers, at any alignment, and corrects
/// that checksum. A partial one, and a UDP checksum of zero (not used), are left. Bytes outside the
/// frame are not written.
void patch_l4(Frame& frame, const PacketView& packet, std::uint32_t offset, Bytes replacement);

/// The bytes of an option behind its kind and length; empty if it is absent or cut.
Bytes tcp_option_value(const Frame& frame, const PacketView& packet, std::uint8_t kind);

/// A value of 1, 2 or 4 bytes in an option, or nothing where it is absent or of another length.
std::optional<std::uint32_t> read_tcp_option(const Frame& frame, const PacketView& packet,
                                             std::uint8_t kind, std::uint8_t value_len);
/// Replaces it. False if it is absent or of another length.
bool write_tcp_option(Frame& frame, const PacketView& packet, std::uint8_t kind,
                      std::uint8_t value_len, std::uint32_t value);

/// Sender's value of the timestamps option (RFC 7323), if it is there.
std::optional<std::uint32_t> timestamp_value(const Frame& frame, const PacketView& packet);

/// Source or destination as an address; version 0 for what is not IP.
IpAddress ip_address(const Frame& frame, const PacketView& packet, bool source);
/// Rewrites it, IPv4 or IPv6; header checksum and the transport checksum follow, a partial one too.
void set_ip_address(Frame& frame, const PacketView& packet, bool source, const IpAddress& address);
/// Rewrites a port of TCP or UDP.
void set_port(Frame& frame, const PacketView& packet, bool source, std::uint16_t port);

[[nodiscard]] inline bool has_flag(const PacketView& packet, std::uint8_t flag) {
  return packet.is_tcp && (packet.tcp_flags & flag) != 0;
}
/// A SYN that opens a connection: without ACK.
[[nodiscard]] bool is_opening_syn(const PacketView& packet);

// Option kinds (IANA, TCP parameters).
inline constexpr std::uint8_t kOptionMss = 2, kOptionWindowScale = 3, kOptionSackPermitted = 4,
                              kOptionSack = 5, kOptionTimestamps = 8, kOptionFastOpen = 34;

// Protocol numbers (IANA).
inline constexpr std::uint8_t kIcmp4 = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58;

}  // namespace slowpath::lab
