// SPDX-License-Identifier: Apache-2.0
#include "wire/light_packet.h"

#include <cstring>

#include "wire/checksum.h"
#include "wire/walk.h"

namespace slowpath::wire {
namespace {

constexpr std::size_t kMinTcpHeader = 20;
constexpr std::uint32_t kNopNopTimestamps = 0x0101080a;
constexpr std::size_t kIpv4Header = 20, kIpv6Header = 40;

/// Where a frame's TCP segment lies, if the frame has one of the usual shapes.
struct Place {
  const std::byte* ip = nullptr;  // null: another shape
  const std::byte* tcp = nullptr;
  std::size_t captured = 0;  // from the TCP header on, without what follows the IP packet
  std::size_t wire = 0;
  std::uint8_t version = 0;
};

/// How long the link layer is, and what follows it; 0 where it is not of the usual kind. Raw IP has
/// none, which is not 0 but `is_raw`.
struct Link {
  std::size_t len = 0;
  std::uint16_t type = 0;
  bool known = false;
};

inline Link link_of(const Frame& frame) {
  const std::byte* const at = frame.bytes.data();
  switch (frame.link_type) {
    case LinkType::ethernet: {
      const std::uint16_t type = load_be16(at + 12);
      if (type == ether::kVlan) [[unlikely]]
        return {18, load_be16(at + 16), true};
      return {14, type, true};
    }
    case LinkType::linux_sll:
      return {16, load_be16(at + 14), true};
    case LinkType::raw:
    case LinkType::raw_bsd:
    case LinkType::raw_openbsd:
    case LinkType::ipv4:
    case LinkType::ipv6: {
      const bool is_v4 = load_u8(at) >> 4 == 4;
      // A link type that names one version holds it.
      const bool fits = frame.link_type != (is_v4 ? LinkType::ipv6 : LinkType::ipv4);
      return {0, is_v4 ? ether::kIpv4 : ether::kIpv6, fits};
    }
    default:
      return {};
  }
}

inline Place place_ipv4(const Frame& frame, std::size_t link_len, std::size_t wire) {
  const std::byte* const ip = frame.bytes.data() + link_len;
  const std::size_t captured = frame.bytes.size() - link_len;
  const std::size_t total = load_be16(ip + 2);
  const bool usual = (load_u8(ip) == 0x45) & ((load_be16(ip + 6) & 0x3fff) == 0) &
                     (load_u8(ip + 9) == protocol::kTcp) & (total <= wire - link_len) &
                     (total >= kIpv4Header + kMinTcpHeader);
  if (!usual) [[unlikely]]
    return {};
  return {ip, ip + kIpv4Header, std::min(captured, total) - kIpv4Header, total - kIpv4Header, 4};
}

inline Place place_ipv6(const Frame& frame, std::size_t link_len, std::size_t wire) {
  const std::byte* const ip = frame.bytes.data() + link_len;
  const std::size_t captured = frame.bytes.size() - link_len;
  const std::size_t payload = load_be16(ip + 4);
  const bool usual = captured >= kIpv6Header + kMinTcpHeader && load_u8(ip) >> 4 == 6 &&
                     load_u8(ip + 6) == protocol::kTcp && payload >= kMinTcpHeader &&
                     payload + kIpv6Header <= wire - link_len;
  if (!usual) return {};
  return {ip, ip + kIpv6Header, std::min(captured, payload + kIpv6Header) - kIpv6Header, payload,
          6};
}

inline Place place_of(const Frame& frame) {
  // The shortest of the usual shapes, with the longest link layer: all loads below are inside.
  constexpr std::size_t kShortest = 18 + kIpv4Header + kMinTcpHeader;
  const std::size_t captured = frame.bytes.size();
  const Link link = captured >= kShortest - 4 ? link_of(frame) : Link{};
  if (!link.known || captured < link.len + kIpv4Header + kMinTcpHeader) [[unlikely]]
    return {};
  const std::size_t wire = std::max<std::size_t>(frame.original_len, captured);
  if (link.type == ether::kIpv4) [[likely]]
    return place_ipv4(frame, link.len, wire);
  if (link.type == ether::kIpv6) return place_ipv6(frame, link.len, wire);
  return {};
}

/// Fills the key and says whether the source is its first end.
inline bool read_key(const Place& place, EndsKey& key) {
  const std::uint64_t source_port = load_be16(place.tcp), port = load_be16(place.tcp + 2);
  key.version = place.version;
  if (place.version == 4) [[likely]] {
    const std::uint64_t source = std::uint64_t{load_be32(place.ip + 12)} << 16 | source_port;
    const std::uint64_t destination = std::uint64_t{load_be32(place.ip + 16)} << 16 | port;
    const bool from_lower = source <= destination;
    key.words[0] = from_lower ? source : destination;
    key.words[1] = from_lower ? destination : source;
    return from_lower;
  }
  const std::uint64_t a[2] = {load_be64(place.ip + 8), load_be64(place.ip + 16)};
  const std::uint64_t b[2] = {load_be64(place.ip + 24), load_be64(place.ip + 32)};
  const bool from_lower = a[0] != b[0]   ? a[0] < b[0]
                          : a[1] != b[1] ? a[1] < b[1]
                                         : source_port <= port;
  std::memcpy(key.words.data(), from_lower ? a : b, sizeof a);
  std::memcpy(key.words.data() + 2, from_lower ? b : a, sizeof b);
  key.words[4] = from_lower ? source_port << 16 | port : port << 16 | source_port;
  return from_lower;
}

/// Whether the five words of a header without options have a wrong sum; a stored 0 has none.
inline bool is_ipv4_sum_bad(const std::byte* ip) {
  std::uint64_t sum = load_le64(ip) & 0xffffffff;
  sum += load_le64(ip) >> 32;
  sum += load_le64(ip + 8) & 0xffffffff;
  sum += load_le64(ip + 8) >> 32;
  sum += load_le32(ip + 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return sum != 0xffff && load_le16(ip + 10) != 0;
}

/// Folded sum of the addresses, the protocol and a length: what a stack leaves for its NIC.
inline std::uint16_t pseudo_sum(const Place& place, std::size_t len) {
  std::uint64_t sum = std::byteswap(static_cast<std::uint32_t>(len));
  sum += std::byteswap(std::uint32_t{protocol::kTcp});
  const std::size_t from = place.version == 4 ? 12 : 8;
  const std::size_t to = place.version == 4 ? 20 : 40;
  for (std::size_t i = from; i < to; i += 4) sum += load_le32(place.ip + i);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return std::byteswap(static_cast<std::uint16_t>(sum));
}

/// verify_checksum() == bad, in the same order of thoughts.
inline bool is_checksum_bad(const Place& place) {
  if (place.captured != place.wire) return false;
  const std::uint16_t pseudo = pseudo_sum(place, place.wire);
  const std::uint16_t stored = load_be16(place.tcp + 16);
  if (ones_add(pseudo, ones_sum({place.tcp, place.captured})) == 0xffff) [[likely]]
    return false;
  return stored != pseudo && stored != 0 && stored != pseudo_sum(place, 0);
}

inline void read_options(const Place& place, std::size_t header_len, LightPacket& light) {
  light.has_timestamps = light.authenticated = light.options_cut = false;
  light.sack_count = 0;
  light.ts_value = 0;
  if (header_len == kMinTcpHeader) return;
  const std::byte* const at = place.tcp + kMinTcpHeader;
  if (header_len == 32 && place.captured >= 32 && load_be32(at) == kNopNopTimestamps) [[likely]] {
    // read_option() wants the length to be right as well; it is the fourth byte.
    light.has_timestamps = true;
    light.ts_value = load_be32(at + 4);
    return;
  }
  const std::size_t at_hand = std::min(header_len, place.captured);
  TcpOptions options;
  parse_tcp_options({at, at_hand - kMinTcpHeader}, at_hand < header_len, options);
  light.has_timestamps = options.has_timestamps;
  light.options_cut = options.cut;
  light.ts_value = options.ts_value;
  light.sack_count = options.sack_count;
  light.authenticated = options.has_md5 || options.has_ao;
}

/// False: the frame needs decode().
inline bool decode_usual(const Frame& frame, bool verify, LightPacket& light) {
  const Place place = place_of(frame);
  if (place.ip == nullptr) [[unlikely]]
    return false;
  const std::uint8_t flags = load_u8(place.tcp + 13);
  const std::size_t header_len = std::size_t{load_u8(place.tcp + 12)} / 16 * 4;
  const bool usual = (header_len >= kMinTcpHeader) & (header_len <= place.wire) &
                     (place.captured >= kMinTcpHeader) & ((flags & kSyn) == 0);
  if (!usual) [[unlikely]]
    return false;
  light.from_lower = read_key(place, light.key);
  light.hash = hash_of(light.key);
  light.kind = PacketKind::tcp;
  light.sequence = SeqNum{load_be32(place.tcp + 4)};
  light.acknowledgment = SeqNum{load_be32(place.tcp + 8)};
  light.flags = flags;
  light.window = load_be16(place.tcp + 14);
  light.payload_len = static_cast<std::uint32_t>(place.wire - header_len);
  light.syn = {};
  light.is_fragment = light.len_beyond_frame = light.ip_len_zero = light.looks_like_quic = false;
  if (place.version == 4) {
    light.ip_id = load_be16(place.ip + 4);
    light.congestion_experienced = (load_u8(place.ip + 1) & 3) == 3;
    light.ip_header_bad = is_ipv4_sum_bad(place.ip);
  } else {
    light.ip_id = 0;
    light.congestion_experienced = (load_u8(place.ip + 1) >> 4 & 3) == 3;
    light.ip_header_bad = false;
  }
  read_options(place, header_len, light);
  light.checksum_bad = verify && is_checksum_bad(place);
  return true;
}

void set_lengths(const Frame& frame, LightPacket& light) {
  light.captured_len = static_cast<std::uint32_t>(frame.bytes.size());
  light.frame_len = frame.original_len;
}

void read_tcp(const Packet& packet, bool verify, LightPacket& light) {
  bool from_lower = false;
  light.key = key_of({packet.source, packet.source_port},
                     {packet.destination, packet.destination_port}, from_lower);
  light.from_lower = from_lower;
  light.hash = hash_of(light.key);
  light.sequence = packet.sequence;
  light.acknowledgment = packet.acknowledgment;
  light.flags = packet.tcp_flags;
  light.window = packet.tcp_window;
  light.payload_len = packet.payload_len;
  light.ip_id = static_cast<std::uint16_t>(packet.ip_id);
  const TcpOptions& options = packet.options;
  light.options_cut = options.cut;
  light.sack_count = options.sack_count;
  light.has_timestamps = options.has_timestamps;
  light.ts_value = options.ts_value;
  light.authenticated = options.has_md5 || options.has_ao;
  light.congestion_experienced = packet.ecn == 3;
  light.checksum_bad = verify && verify_checksum(packet) == ChecksumState::bad;
  if ((packet.tcp_flags & kSyn) == 0) return;
  light.syn.mss = options.has_mss ? options.mss : std::uint16_t{0};
  light.syn.has_window_scale = options.has_window_scale;
  light.syn.window_scale = options.window_scale;
  light.syn.sack_permitted = options.sack_permitted;
  light.syn.has_timestamps = options.has_timestamps;
  light.syn.cut = options.cut;
}

void read_quote(const IcmpQuote& quote, LightPacket& light) {
  if (!quote.present || !quote.is_tcp || !quote.has_ports) return;
  bool from_lower = false;
  light.key = key_of(quote.source, quote.destination, from_lower);
  light.from_lower = from_lower;
  light.hash = hash_of(light.key);
}

}  // namespace

void decode_light(const Frame& frame, bool verify, LightPacket& light, Packet& scratch) {
  if (!decode_usual(frame, verify, light)) [[unlikely]] {
    return decode_light_plain(frame, verify, light, scratch);
  }
  set_lengths(frame, light);
}

void decode_light_plain(const Frame& frame, bool verify, LightPacket& light, Packet& scratch) {
  decode(frame, scratch);
  light = LightPacket{};
  set_lengths(frame, light);
  light.kind = scratch.kind;
  light.is_fragment = scratch.is_fragment;
  light.ip_header_bad = scratch.ip_header_checksum_bad;
  light.len_beyond_frame = scratch.ip_len_beyond_frame;
  light.ip_len_zero = scratch.ip_len_zero;
  light.looks_like_quic = scratch.looks_like_quic;
  if (scratch.kind == PacketKind::tcp) read_tcp(scratch, verify, light);
  if (scratch.kind == PacketKind::icmp) read_quote(scratch.quote, light);
}

std::uint64_t hash_of_usual_frame(const Frame& frame, EndsKey& key) {
  const Place place = place_of(frame);
  if (place.ip == nullptr) [[unlikely]]
    return 0;
  (void)read_key(place, key);
  return hash_of(key);
}

}  // namespace slowpath::wire
