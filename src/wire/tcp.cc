// SPDX-License-Identifier: Apache-2.0
// The TCP header and its options. What the numbers mean for a connection is the flow room's
// business.
#include "wire/walk.h"

namespace slowpath::wire {
namespace {

constexpr std::size_t kMinHeaderLen = 20;

/// Option kinds (IANA TCP parameters).
constexpr std::uint8_t kEnd = 0;
constexpr std::uint8_t kNop = 1;
constexpr std::uint8_t kMss = 2;
constexpr std::uint8_t kWindowScale = 3;
constexpr std::uint8_t kSackPermitted = 4;
constexpr std::uint8_t kSack = 5;
constexpr std::uint8_t kTimestamps = 8;
constexpr std::uint8_t kMd5 = 19;
constexpr std::uint8_t kAuthenticationOption = 29;
constexpr std::uint8_t kMptcp = 30;
constexpr std::uint8_t kFastOpen = 34;
constexpr std::uint8_t kExperiment = 254;
constexpr std::uint16_t kFastOpenMagic = 0xf989;  // RFC 7413 section 4.1.1

bool read_sack(const std::byte* at, std::size_t len, TcpOptions& parsed) {
  if (len < 10 || (len - 2) % 8 != 0) return false;
  const std::size_t count = std::min<std::size_t>((len - 2) / 8, kMaxSackBlocks);
  for (std::size_t i = 0; i < count; ++i) {
    parsed.sack[i] = {SeqNum{load_be32(at + 2 + i * 8)}, SeqNum{load_be32(at + 6 + i * 8)}};
  }
  parsed.sack_count = static_cast<std::uint8_t>(count);
  return true;
}

/// Reads one option of `len` bytes, all at hand. False when its kind does not have that length.
bool read_option(const std::byte* at, std::size_t len, TcpOptions& parsed) {
  switch (load_u8(at)) {
    case kMss:
      if (len != 4) return false;
      parsed.has_mss = true;
      parsed.mss = load_be16(at + 2);
      return true;
    case kWindowScale:
      if (len != 3) return false;
      parsed.has_window_scale = true;
      parsed.window_scale = load_u8(at + 2);
      return true;
    case kSackPermitted:
      if (len != 2) return false;
      parsed.sack_permitted = true;
      return true;
    case kSack:
      return read_sack(at, len, parsed);
    case kTimestamps:
      if (len != 10) return false;
      parsed.has_timestamps = true;
      parsed.ts_value = load_be32(at + 2);
      parsed.ts_echo = load_be32(at + 6);
      return true;
    case kMd5:
      if (len != 18) return false;
      parsed.has_md5 = true;
      return true;
    case kAuthenticationOption:
      if (len < 4) return false;
      parsed.has_ao = true;
      return true;
    case kMptcp:
      if (len < 3) return false;
      parsed.has_mptcp = true;
      return true;
    case kFastOpen:
      parsed.has_fast_open = true;
      return true;
    case kExperiment:
      if (len >= 4 && load_be16(at + 2) == kFastOpenMagic) parsed.has_fast_open = true;
      return true;
    default:
      return true;  // A kind we do not know is stepped over by its length.
  }
}

/// The usual options of a data segment: two NOPs and the timestamps (RFC 7323 appendix A).
constexpr std::uint32_t kNopNopTimestamps = 0x0101080a;

}  // namespace

// An option is: kind | length (of all of it) | data; END and NOP are a kind alone. A length that
// does not fit ends the walk, one that is wrong for its kind only costs that option, as in Linux.
void parse_tcp_options(Bytes options, bool cut_by_snap, TcpOptions& parsed) {
  parsed.cut = cut_by_snap;
  if (options.size() == 12 && load_be32(options.data()) == kNopNopTimestamps) [[likely]] {
    (void)read_option(options.data() + 2, 10, parsed);
    return;
  }
  for (std::size_t i = 0; i < options.size();) {
    const std::byte* at = options.data() + i;
    const std::size_t left = options.size() - i;
    if (load_u8(at) == kEnd) return;
    if (load_u8(at) == kNop) {
      ++i;
      continue;
    }
    const std::size_t len = left < 2 ? left + 1 : load_u8(at + 1);
    if (len > left && cut_by_snap) return;
    if (len < 2 || len > left) {
      parsed.malformed = true;
      return;
    }
    if (!read_option(at, len, parsed)) parsed.malformed = true;
    i += len;
  }
}

// TCP (RFC 9293 section 3.1): 0 source port | 2 destination port | 4 sequence | 8 acknowledgment |
// 12 data offset (words, 4 bits) | 13 flags | 14 window | 16 checksum | 18 urgent | 20 options.
// A header whose options the snap length cut is still worth having.
void parse_tcp(Walk& walk) {
  Packet& packet = walk.packet;
  walk.next = Layer::done;
  const Window tcp = walk.rest;
  if (!walk.need(kMinHeaderLen)) {
    if (packet.is_fragment && tcp.wire < kMinHeaderLen) packet.kind = PacketKind::fragment;
    return;
  }
  packet.source_port = tcp.u16(0);
  packet.destination_port = tcp.u16(2);
  packet.sequence = SeqNum{tcp.u32(4)};
  packet.acknowledgment = SeqNum{tcp.u32(8)};
  packet.tcp_flags = tcp.u8(13);
  packet.tcp_window = tcp.u16(14);
  packet.checksum = tcp.u16(16);
  const std::size_t header_len = std::size_t{tcp.u8(12)} / 16 * 4;
  if (header_len < kMinHeaderLen || header_len > tcp.wire) return walk.stop(PacketKind::malformed);
  packet.kind = PacketKind::tcp;
  packet.tcp_header_len = static_cast<std::uint16_t>(header_len);
  packet.transport = tcp.bytes();
  packet.payload_len = static_cast<std::uint32_t>(tcp.wire - header_len);
  const std::size_t at_hand = std::min(header_len, tcp.captured);
  packet.payload = packet.transport.subspan(at_hand);
  if (header_len > kMinHeaderLen) {
    parse_tcp_options(packet.transport.subspan(kMinHeaderLen, at_hand - kMinHeaderLen),
                      at_hand < header_len, packet.options);
  }
}

}  // namespace slowpath::wire
