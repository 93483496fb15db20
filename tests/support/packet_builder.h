// SPDX-License-Identifier: Apache-2.0
// Builds frames for tests, layer after layer as they stand on the wire:
//
//   const auto built = packet().ethernet().ipv4("10.0.0.1", "10.0.0.2")
//                          .tcp(syn, ports(4000, 80), seq(1), mss(1460)).payload(n).build();
//   decode(built.frame(), p);
//
// Lengths, protocol numbers and checksums are filled in from what follows, unless a field says
// otherwise. It writes headers by itself and shares no code with wire/, so that it can judge it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "facts/address.h"
#include "wire/frame.h"

namespace slowpath::test {

using Buffer = std::vector<std::byte>;

/// "10.0.0.1" or "2001:db8::1"; aborts on anything else.
IpAddress address(std::string_view text);

// --- TCP flags: combine with |.
struct Flags {
  std::uint8_t bits = 0;
  friend constexpr Flags operator|(Flags a, Flags b) {
    return {static_cast<std::uint8_t>(a.bits | b.bits)};
  }
};
inline constexpr Flags no_flags{0}, fin{1}, syn{2}, rst{4}, psh{8}, ack{16}, urg{32}, ece{64},
    cwr{128};

/// What a transport checksum is made to be.
enum class ChecksumKind {
  right,
  partial,            // folded pseudo-header with length, as Linux leaves it for the NIC
  partial_no_length,  // without length, as Windows leaves it for LSO
  zero,
  wrong,  // right + 1
};

// --- Fields of an IP header.
struct IpFields {
  std::uint8_t ttl = 64;
  std::uint8_t tos = 0;
  std::uint32_t id = 0;
  bool dont_fragment = true;
  bool more_fragments = false;
  std::uint32_t fragment_offset = 0;  // bytes
  int total_length = -1;              // -1: right; for IPv6 the payload length
  int header_checksum = -1;
  int protocol = -1;  // -1: by what follows
  Buffer options;     // IPv4; padded with zeros to whole words
};
using IpField = std::function<void(IpFields&)>;
IpField ttl(std::uint8_t value);
IpField tos(std::uint8_t value);
IpField ip_id(std::uint32_t value);
IpField may_fragment();  // clears DF
/// Offset in bytes, a multiple of 8. For IPv6 this puts a fragment header in.
IpField fragment(std::uint32_t offset, bool more);
IpField total_length(std::uint16_t value);  // stored as given; IPv6: the payload length field
IpField header_checksum(std::uint16_t value);
IpField protocol(std::uint8_t value);
IpField ip_options(Buffer bytes);

// --- Fields of a TCP header.
struct TcpFields {
  std::uint16_t source_port = 1000, destination_port = 80;
  std::uint32_t seq = 0, ack = 0;
  std::uint16_t window = 65535;
  std::uint16_t urgent = 0;
  int data_offset_words = -1;  // -1: right
  int stored_checksum = -1;
  ChecksumKind checksum = ChecksumKind::right;
  int length_error = 0;  // added to the length that the checksum's pseudo-header holds
  Buffer options;        // padded with zeros to whole words
};
using TcpField = std::function<void(TcpFields&)>;
TcpField ports(std::uint16_t source, std::uint16_t destination);
TcpField seq(std::uint32_t value);
TcpField ack_number(std::uint32_t value);
TcpField window(std::uint16_t raw);
TcpField urgent_pointer(std::uint16_t value);
TcpField data_offset(int words);
TcpField checksum(ChecksumKind kind);
TcpField stored_checksum(std::uint16_t value);
TcpField mss(std::uint16_t value);
TcpField window_scale(std::uint8_t shift);
TcpField sack_permitted();
TcpField timestamps(std::uint32_t value, std::uint32_t echo);  // with two NOPs in front
TcpField sack(std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks);  // NOPs in front
TcpField nop();
/// Any option: kind, length, data.
TcpField option(std::uint8_t kind, Buffer data);
TcpField raw_options(Buffer bytes);

/// A finished frame. frame() points into it.
struct BuiltFrame {
  Buffer bytes;
  std::uint32_t original_len = 0;
  wire::LinkType link_type = wire::LinkType::ethernet;

  [[nodiscard]] wire::Frame frame() const;
};

class PacketBuilder {
 public:
  // Link layers. Without one the frame is raw IP. The last of them decides the link type.
  PacketBuilder& ethernet(std::uint64_t destination = 0x020000000002,
                          std::uint64_t source = 0x020000000001);
  PacketBuilder& ethernet_llc();  // 802.3 length, LLC SNAP
  PacketBuilder& linux_sll(std::uint16_t packet_type = 0);
  PacketBuilder& linux_sll2(std::uint8_t packet_type = 0, std::uint32_t interface_index = 1);
  /// Family in the given byte order; `ipv6_family` is the system's AF_INET6.
  PacketBuilder& null_loopback(bool big_endian = false, std::uint32_t ipv6_family = 30);
  PacketBuilder& ppp(bool address_control = true, bool compressed_protocol = false);
  PacketBuilder& fddi();
  PacketBuilder& link_type(wire::LinkType type);

  // Between link and IP, or inside tunnels.
  PacketBuilder& vlan(std::uint16_t id, std::uint16_t ether_type = 0x8100);
  PacketBuilder& mpls(std::vector<std::uint32_t> labels);
  PacketBuilder& control_word();  // of a pseudo-wire
  PacketBuilder& pppoe(std::uint16_t session = 1);
  PacketBuilder& gre(std::uint16_t flags = 0);  // version 0; with the fields the flags ask for
  PacketBuilder& gre_pptp(bool acknowledgment = false);  // version 1, PPP follows
  PacketBuilder& vxlan(std::uint32_t network = 42);
  PacketBuilder& geneve(std::size_t option_words = 0);
  PacketBuilder& gtp_u(std::uint8_t extension_count = 0);

  template <typename... Fields>
  PacketBuilder& ipv4(std::string_view source, std::string_view destination, Fields... fields) {
    return add_ipv4(address(source), address(destination), apply<IpFields>(fields...));
  }
  template <typename... Fields>
  PacketBuilder& ipv6(std::string_view source, std::string_view destination, Fields... fields) {
    return add_ipv6(address(source), address(destination), apply<IpFields>(fields...));
  }
  /// An IPv6 extension header of 8 * (extra + 1) bytes; `protocol` 0, 43, 60, 51 (AH: 12 + 8 *
  /// extra).
  PacketBuilder& extension(std::uint8_t protocol, std::size_t extra = 0);

  template <typename... Fields>
  PacketBuilder& tcp(Flags flags, Fields... fields) {
    return add_tcp(flags, apply<TcpFields>(fields...));
  }
  PacketBuilder& udp(std::uint16_t source, std::uint16_t destination, int length = -1);
  /// `rest` is the second word; over IPv6 the checksum covers the pseudo-header.
  PacketBuilder& icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest = 0);

  /// Bytes as they are: n of a pattern, or the given ones. May stand in the middle, as a header.
  PacketBuilder& payload(std::size_t n);
  PacketBuilder& payload(Buffer bytes);
  /// Claims and captures nothing more than is built, except:
  PacketBuilder& padding(std::size_t n);  // zeros after everything, on the wire
  PacketBuilder& snap(std::size_t len);   // captures at most so many bytes

  [[nodiscard]] BuiltFrame build() const;
  /// The bytes alone, for quoting in an ICMP error: start with ipv4() or ipv6().
  [[nodiscard]] Buffer bytes() const { return build().bytes; }

 private:
  /// What a layer learns from those inside it while the frame is put together from the inside out.
  struct Inner {
    Buffer bytes;
    std::uint16_t ether_type = 0;  // what a link layer must announce
    int ip_protocol = 255;         // what an IP header must announce; kIcmpByVersion
    int transport_protocol = 255;  // what the pseudo-header has
    Buffer extensions;             // IPv6 extension headers, outside the transport's checksum
    int checksum_offset = -1;      // of a transport checksum the IP header must finish
    ChecksumKind checksum = ChecksumKind::right;
    int length_error = 0;           // of the pseudo-header
    bool has_own_checksum = false;  // ICMPv4: no pseudo-header
  };
  using Layer = std::function<void(Inner&)>;
  static constexpr int kIcmpByVersion = -1;

  template <typename T, typename... Fields>
  static T apply(Fields... fields) {
    T value;
    (fields(value), ...);
    return value;
  }
  PacketBuilder& add(Layer layer) {
    layers_.push_back(std::move(layer));
    return *this;
  }
  PacketBuilder& add_ipv4(IpAddress source, IpAddress destination, IpFields fields);
  PacketBuilder& add_ipv6(IpAddress source, IpAddress destination, IpFields fields);
  PacketBuilder& add_tcp(Flags flags, TcpFields fields);
  /// Settles ICMP's number, sums the transport and puts the extension headers in front of it.
  static void finish_transport(Inner& inner, const IpAddress& source, const IpAddress& destination);
  static void store_checksum(Inner& inner, const IpAddress& source, const IpAddress& destination);

  std::vector<Layer> layers_;
  wire::LinkType link_type_ = wire::LinkType::raw;
  std::size_t padding_ = 0;
  std::size_t snap_ = SIZE_MAX;
};

inline PacketBuilder packet() { return {}; }

}  // namespace slowpath::test
