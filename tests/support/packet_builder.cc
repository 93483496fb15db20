// SPDX-License-Identifier: Apache-2.0
// Headers for tests, written from the inside out.
#include "support/packet_builder.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

namespace slowpath::test {
namespace {

void put8(Buffer& to, unsigned value) { to.push_back(static_cast<std::byte>(value)); }
void put16(Buffer& to, unsigned value) {
  put8(to, value >> 8);
  put8(to, value);
}
void put32(Buffer& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value);
}
void put_bytes(Buffer& to, const Buffer& bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
void put_zeros(Buffer& to, std::size_t n) { to.resize(to.size() + n); }
void pad_to_words(Buffer& bytes) { bytes.resize((bytes.size() + 3) / 4 * 4); }
void put_mac(Buffer& to, std::uint64_t mac) {
  put16(to, static_cast<unsigned>(mac >> 32));
  put32(to, static_cast<std::uint32_t>(mac));
}
void put_address(Buffer& to, const IpAddress& from) {
  for (std::size_t i = 0; i < (from.version == 4 ? 4u : 16u); ++i) put8(to, from.bytes[i]);
}
void store16(Buffer& in, std::size_t offset, unsigned value) {
  in[offset] = static_cast<std::byte>(value >> 8);
  in[offset + 1] = static_cast<std::byte>(value);
}

void prepend(Buffer& bytes, Buffer header) {
  put_bytes(header, bytes);
  bytes = std::move(header);
}

/// Plain RFC 1071 arithmetic, on purpose not that of wire/.
std::uint32_t add_words(const Buffer& bytes, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto value = std::to_integer<std::uint32_t>(bytes[i]);
    sum += i % 2 == 0 ? value << 8 : value;
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

}  // namespace

IpAddress address(std::string_view text) {
  IpAddress parsed;
  const std::string copy(text);
  if (inet_pton(AF_INET, copy.c_str(), parsed.bytes.data()) == 1) {
    parsed.version = 4;
  } else if (inet_pton(AF_INET6, copy.c_str(), parsed.bytes.data()) == 1) {
    parsed.version = 6;
  } else {
    std::abort();
  }
  return parsed;
}

IpField ttl(std::uint8_t value) {
  return [=](IpFields& ip) { ip.ttl = value; };
}
IpField tos(std::uint8_t value) {
  return [=](IpFields& ip) { ip.tos = value; };
}
IpField ip_id(std::uint32_t value) {
  return [=](IpFields& ip) { ip.id = value; };
}
IpField may_fragment() {
  return [](IpFields& ip) { ip.dont_fragment = false; };
}
IpField fragment(std::uint32_t offset, bool more) {
  return [=](IpFields& ip) {
    ip.fragment_offset = offset;
    ip.more_fragments = more;
    ip.dont_fragment = false;
  };
}
IpField total_length(std::uint16_t value) {
  return [=](IpFields& ip) { ip.total_length = value; };
}
IpField header_checksum(std::uint16_t value) {
  return [=](IpFields& ip) { ip.header_checksum = value; };
}
IpField protocol(std::uint8_t value) {
  return [=](IpFields& ip) { ip.protocol = value; };
}
IpField ip_options(Buffer bytes) {
  return [=](IpFields& ip) { ip.options = bytes; };
}

TcpField ports(std::uint16_t source, std::uint16_t destination) {
  return [=](TcpFields& tcp) {
    tcp.source_port = source;
    tcp.destination_port = destination;
  };
}
TcpField seq(std::uint32_t value) {
  return [=](TcpFields& tcp) { tcp.seq = value; };
}
TcpField ack_number(std::uint32_t value) {
  return [=](TcpFields& tcp) { tcp.ack = value; };
}
TcpField window(std::uint16_t raw) {
  return [=](TcpFields& tcp) { tcp.window = raw; };
}
TcpField urgent_pointer(std::uint16_t value) {
  return [=](TcpFields& tcp) { tcp.urgent = value; };
}
TcpField data_offset(int words) {
  return [=](TcpFields& tcp) { tcp.data_offset_words = words; };
}
TcpField checksum(ChecksumKind kind) {
  return [=](TcpFields& tcp) { tcp.checksum = kind; };
}
TcpField stored_checksum(std::uint16_t value) {
  return [=](TcpFields& tcp) { tcp.stored_checksum = value; };
}
TcpField raw_options(Buffer bytes) {
  return [=](TcpFields& tcp) { put_bytes(tcp.options, bytes); };
}
TcpField option(std::uint8_t kind, Buffer data) {
  return [=](TcpFields& tcp) {
    put8(tcp.options, kind);
    put8(tcp.options, static_cast<unsigned>(data.size() + 2));
    put_bytes(tcp.options, data);
  };
}
TcpField nop() {
  return [](TcpFields& tcp) { put8(tcp.options, 1); };
}
TcpField mss(std::uint16_t value) {
  return [=](TcpFields& tcp) {
    put16(tcp.options, 0x0204);
    put16(tcp.options, value);
  };
}
TcpField window_scale(std::uint8_t shift) {
  return [=](TcpFields& tcp) { put32(tcp.options, 0x01030300u | shift); };
}
TcpField sack_permitted() {
  return [](TcpFields& tcp) { put32(tcp.options, 0x01010402u); };
}
TcpField timestamps(std::uint32_t value, std::uint32_t echo) {
  return [=](TcpFields& tcp) {
    put32(tcp.options, 0x0101080au);
    put32(tcp.options, value);
    put32(tcp.options, echo);
  };
}
TcpField sack(std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks) {
  return [=](TcpFields& tcp) {
    put32(tcp.options, 0x01010502u + static_cast<std::uint32_t>(blocks.size()) * 8);
    for (const auto& [begin, end] : blocks) {
      put32(tcp.options, begin);
      put32(tcp.options, end);
    }
  };
}

wire::Frame BuiltFrame::frame() const {
  wire::Frame frame;
  frame.bytes = bytes;
  frame.original_len = original_len;
  frame.link_type = link_type;
  return frame;
}

PacketBuilder& PacketBuilder::link_type(wire::LinkType type) {
  link_type_ = type;
  return *this;
}

PacketBuilder& PacketBuilder::ethernet(std::uint64_t destination, std::uint64_t source) {
  if (layers_.empty()) link_type_ = wire::LinkType::ethernet;
  return add([=](Inner& inner) {
    Buffer header;
    put_mac(header, destination);
    put_mac(header, source);
    put16(header, inner.ether_type);
    prepend(inner.bytes, header);
    inner.ether_type = 0x6558;
    inner.ip_protocol = 97;
  });
}

PacketBuilder& PacketBuilder::ethernet_llc() {
  link_type_ = wire::LinkType::ethernet;
  return add([](Inner& inner) {
    Buffer header;
    put_mac(header, 0x020000000002);
    put_mac(header, 0x020000000001);
    put16(header, static_cast<unsigned>(inner.bytes.size() + 8));
    put32(header, 0xaaaa0300u);
    put16(header, 0);
    put16(header, inner.ether_type);
    prepend(inner.bytes, header);
  });
}

PacketBuilder& PacketBuilder::fddi() {
  link_type_ = wire::LinkType::fddi;
  return add([](Inner& inner) {
    Buffer header;
    put8(header, 0x50);
    put_mac(header, 0x020000000002);
    put_mac(header, 0x020000000001);
    put32(header, 0xaaaa0300u);
    put16(header, 0);
    put16(header, inner.ether_type);
    prepend(inner.bytes, header);
  });
}

PacketBuilder& PacketBuilder::linux_sll(std::uint16_t packet_type) {
  link_type_ = wire::LinkType::linux_sll;
  return add([=](Inner& inner) {
    Buffer header;
    put16(header, packet_type);
    put16(header, 1);
    put16(header, 6);
    put_mac(header, 0x020000000001);
    put16(header, 0);
    put16(header, inner.ether_type);
    prepend(inner.bytes, header);
  });
}

PacketBuilder& PacketBuilder::linux_sll2(std::uint8_t packet_type, std::uint32_t interface_index) {
  link_type_ = wire::LinkType::linux_sll2;
  return add([=](Inner& inner) {
    Buffer header;
    put16(header, inner.ether_type);
    put16(header, 0);
    put32(header, interface_index);
    put16(header, 1);
    put8(header, packet_type);
    put8(header, 6);
    put_mac(header, 0x020000000001);
    put16(header, 0);
    prepend(inner.bytes, header);
  });
}

PacketBuilder& PacketBuilder::null_loopback(bool big_endian, std::uint32_t ipv6_family) {
  link_type_ = big_endian ? wire::LinkType::loop : wire::LinkType::null_loopback;
  return add([=](Inner& inner) {
    Buffer header;
    put32(header, inner.ether_type == 0x86dd ? ipv6_family : 2);
    if (!big_endian) std::reverse(header.begin(), header.end());
    prepend(inner.bytes, header);
  });
}

PacketBuilder& PacketBuilder::ppp(bool address_control, bool compressed_protocol) {
  if (layers_.empty()) link_type_ = wire::LinkType::ppp;
  return add([=](Inner& inner) {
    Buffer header;
    if (address_control) put16(header, 0xff03);
    const unsigned number = inner.ether_type == 0x0800   ? 0x21
                            : inner.ether_type == 0x86dd ? 0x57
                                                         : 0x281;
    if (compressed_protocol && number < 0x100) {
      put8(header, number);
    } else {
      put16(header, number);
    }
    prepend(inner.bytes, header);
    inner.ether_type = 0x880b;
  });
}

PacketBuilder& PacketBuilder::vlan(std::uint16_t id, std::uint16_t ether_type) {
  return add([=](Inner& inner) {
    Buffer header;
    put16(header, id);
    put16(header, inner.ether_type);
    prepend(inner.bytes, header);
    inner.ether_type = ether_type;
  });
}

PacketBuilder& PacketBuilder::mpls(std::vector<std::uint32_t> labels) {
  return add([=](Inner& inner) {
    Buffer header;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      put32(header, labels[i] << 12 | (i + 1 == labels.size() ? 0x100u : 0u) | 64u);
    }
    prepend(inner.bytes, header);
    inner.ether_type = 0x8847;
    inner.ip_protocol = 137;
  });
}

PacketBuilder& PacketBuilder::control_word() {
  return add([](Inner& inner) { prepend(inner.bytes, Buffer(4)); });
}

PacketBuilder& PacketBuilder::pppoe(std::uint16_t session) {
  if (layers_.empty()) link_type_ = wire::LinkType::ppp_ether;
  add([=](Inner& inner) {
    Buffer header;
    put16(header, 0x1100);
    put16(header, session);
    put16(header, static_cast<unsigned>(inner.bytes.size()));
    prepend(inner.bytes, header);
    inner.ether_type = 0x8864;
  });
  return ppp(false);
}

PacketBuilder& PacketBuilder::gre(std::uint16_t flags) {
  return add([=](Inner& inner) {
    Buffer header;
    put16(header, flags);
    put16(header, inner.ether_type);
    for (const unsigned bit : {0x8000u, 0x2000u, 0x1000u}) {
      if ((flags & bit) != 0) put32(header, 7);
    }
    prepend(inner.bytes, header);
    inner.ip_protocol = 47;
  });
}

PacketBuilder& PacketBuilder::gre_pptp(bool acknowledgment) {
  add([=](Inner& inner) {
    Buffer header;
    put16(header, acknowledgment ? 0x3081 : 0x3001);
    put16(header, 0x880b);
    put16(header, static_cast<unsigned>(inner.bytes.size()));
    put16(header, 5);
    put32(header, 1);
    if (acknowledgment) put32(header, 1);
    prepend(inner.bytes, header);
    inner.ip_protocol = 47;
  });
  return ppp();
}

PacketBuilder& PacketBuilder::vxlan(std::uint32_t network) {
  return add([=](Inner& inner) {
    Buffer header;
    put32(header, 0x08000000);
    put32(header, network << 8);
    prepend(inner.bytes, header);
  });
}

PacketBuilder& PacketBuilder::geneve(std::size_t option_words) {
  return add([=](Inner& inner) {
    Buffer header;
    put8(header, static_cast<unsigned>(option_words));
    put8(header, 0);
    put16(header, inner.ether_type);
    put32(header, 42u << 8);
    put_zeros(header, option_words * 4);
    prepend(inner.bytes, header);
  });
}

PacketBuilder& PacketBuilder::gtp_u(std::uint8_t extension_count) {
  return add([=](Inner& inner) {
    Buffer header;
    const std::size_t optional_len = extension_count == 0 ? 0 : 4u + extension_count * 4u;
    put8(header, extension_count == 0 ? 0x30 : 0x34);
    put8(header, 255);
    put16(header, static_cast<unsigned>(inner.bytes.size() + optional_len));
    put32(header, 99);
    if (extension_count != 0) put32(header, 0x85);  // the first is a PDU session container
    for (unsigned i = 1; i <= extension_count; ++i) {
      put32(header, 0x01000000u | (i < extension_count ? 0x85u : 0u));
    }
    prepend(inner.bytes, header);
  });
}

void PacketBuilder::finish_transport(Inner& inner, const IpAddress& source,
                                     const IpAddress& destination) {
  const int icmp = source.version == 4 ? 1 : 58;
  if (inner.transport_protocol == kIcmpByVersion) inner.transport_protocol = icmp;
  if (inner.ip_protocol == kIcmpByVersion) inner.ip_protocol = icmp;
  if (inner.checksum_offset >= 0) store_checksum(inner, source, destination);
  inner.checksum_offset = -1;
  prepend(inner.bytes, std::exchange(inner.extensions, {}));
}

void PacketBuilder::store_checksum(Inner& inner, const IpAddress& source,
                                   const IpAddress& destination) {
  const auto offset = static_cast<std::size_t>(inner.checksum_offset);
  Buffer pseudo;
  if (!inner.has_own_checksum || source.version == 6) {
    put_address(pseudo, source);
    put_address(pseudo, destination);
    put32(pseudo, static_cast<std::uint32_t>(inner.transport_protocol));
    if (inner.checksum != ChecksumKind::partial_no_length) {
      put32(pseudo, static_cast<std::uint32_t>(inner.bytes.size()) +
                        static_cast<std::uint32_t>(inner.length_error));
    }
  }
  const std::uint32_t pseudo_sum = add_words(pseudo);
  const std::uint32_t right = ~add_words(inner.bytes, pseudo_sum);
  switch (inner.checksum) {
    case ChecksumKind::right:
      store16(inner.bytes, offset, right);
      break;
    case ChecksumKind::wrong:
      store16(inner.bytes, offset, right + 1);
      break;
    case ChecksumKind::zero:
      break;
    case ChecksumKind::partial:
    case ChecksumKind::partial_no_length:
      store16(inner.bytes, offset, pseudo_sum);
      break;
  }
}

PacketBuilder& PacketBuilder::add_ipv4(IpAddress source, IpAddress destination, IpFields fields) {
  pad_to_words(fields.options);
  return add([=](Inner& inner) {
    finish_transport(inner, source, destination);
    const auto number =
        static_cast<std::uint8_t>(fields.protocol >= 0 ? fields.protocol : inner.ip_protocol);
    const std::size_t header_len = 20 + fields.options.size();
    Buffer header;
    put8(header, static_cast<unsigned>(0x40 | header_len / 4));
    put8(header, fields.tos);
    put16(header, fields.total_length >= 0
                      ? static_cast<unsigned>(fields.total_length)
                      : static_cast<unsigned>(header_len + inner.bytes.size()));
    put16(header, fields.id);
    put16(header, (fields.dont_fragment ? 0x4000u : 0u) | (fields.more_fragments ? 0x2000u : 0u) |
                      fields.fragment_offset / 8);
    put8(header, fields.ttl);
    put8(header, number);
    put16(header, 0);
    put_address(header, source);
    put_address(header, destination);
    put_bytes(header, fields.options);
    store16(header, 10,
            fields.header_checksum >= 0 ? static_cast<unsigned>(fields.header_checksum)
                                        : ~add_words(header));
    prepend(inner.bytes, header);
    inner.ether_type = 0x0800;
    inner.ip_protocol = 4;
  });
}

PacketBuilder& PacketBuilder::add_ipv6(IpAddress source, IpAddress destination, IpFields fields) {
  return add([=](Inner& inner) {
    finish_transport(inner, source, destination);
    auto number =
        static_cast<std::uint8_t>(fields.protocol >= 0 ? fields.protocol : inner.ip_protocol);
    if (fields.more_fragments || fields.fragment_offset != 0) {
      Buffer extension;
      put16(extension, unsigned{number} << 8);
      put16(extension, fields.fragment_offset | (fields.more_fragments ? 1u : 0u));
      put32(extension, fields.id);
      prepend(inner.bytes, extension);
      number = 44;
    }
    Buffer header;
    put32(header, 6u << 28 | std::uint32_t{fields.tos} << 20);
    put16(header, fields.total_length >= 0 ? static_cast<unsigned>(fields.total_length)
                                           : static_cast<unsigned>(inner.bytes.size()));
    put8(header, number);
    put8(header, fields.ttl);
    put_address(header, source);
    put_address(header, destination);
    prepend(inner.bytes, header);
    inner.ether_type = 0x86dd;
    inner.ip_protocol = 41;
  });
}

// Extension headers are outside the transport's checksum: they wait until IP has finished that.
PacketBuilder& PacketBuilder::extension(std::uint8_t type, std::size_t extra) {
  return add([=](Inner& inner) {
    Buffer header;
    put8(header, 0);
    if (type == 51) {
      put8(header, static_cast<unsigned>(1 + 2 * extra));
      put_zeros(header, 10 + 8 * extra);
    } else {
      put8(header, static_cast<unsigned>(extra));
      put_zeros(header, 6 + 8 * extra);
    }
    if (type == 43) store16(header, 2, 0x0300);  // experimental type, no segments left
    const int next = inner.ip_protocol == kIcmpByVersion ? 58 : inner.ip_protocol;
    store16(header, 0, static_cast<unsigned>(next) << 8 | std::to_integer<unsigned>(header[1]));
    prepend(inner.extensions, header);
    inner.ip_protocol = type;
  });
}

PacketBuilder& PacketBuilder::add_tcp(Flags flags, TcpFields fields) {
  pad_to_words(fields.options);
  return add([=](Inner& inner) {
    const std::size_t words = 5 + fields.options.size() / 4;
    Buffer header;
    put16(header, fields.source_port);
    put16(header, fields.destination_port);
    put32(header, fields.seq);
    put32(header, fields.ack);
    put8(header, static_cast<unsigned>(fields.data_offset_words >= 0
                                           ? static_cast<std::size_t>(fields.data_offset_words)
                                           : words)
                     << 4);
    put8(header, flags.bits);
    put16(header, fields.window);
    put16(header, fields.stored_checksum >= 0 ? static_cast<unsigned>(fields.stored_checksum) : 0);
    put16(header, fields.urgent);
    put_bytes(header, fields.options);
    prepend(inner.bytes, header);
    inner.ip_protocol = inner.transport_protocol = 6;
    inner.checksum_offset = fields.stored_checksum >= 0 ? -1 : 16;
    inner.checksum = fields.checksum;
    inner.length_error = fields.length_error;
    inner.has_own_checksum = false;
  });
}

PacketBuilder& PacketBuilder::udp(std::uint16_t source, std::uint16_t destination, int length) {
  return add([=](Inner& inner) {
    Buffer header;
    put16(header, source);
    put16(header, destination);
    put16(header, length >= 0 ? static_cast<unsigned>(length)
                              : static_cast<unsigned>(inner.bytes.size() + 8));
    put16(header, 0);
    prepend(inner.bytes, header);
    inner.ip_protocol = inner.transport_protocol = 17;
    inner.checksum_offset = 6;
    inner.checksum = ChecksumKind::right;
    inner.has_own_checksum = false;
  });
}

PacketBuilder& PacketBuilder::icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest) {
  return add([=](Inner& inner) {
    Buffer header;
    put8(header, type);
    put8(header, code);
    put16(header, 0);
    put32(header, rest);
    prepend(inner.bytes, header);
    inner.ip_protocol = inner.transport_protocol = kIcmpByVersion;
    inner.checksum_offset = 2;
    inner.checksum = ChecksumKind::right;
    inner.has_own_checksum = true;
  });
}

PacketBuilder& PacketBuilder::payload(std::size_t n) {
  Buffer pattern(n);
  for (std::size_t i = 0; i < n; ++i) pattern[i] = static_cast<std::byte>(i * 7 + i / 256 + 1);
  return payload(std::move(pattern));
}

PacketBuilder& PacketBuilder::payload(Buffer bytes) {
  return add([=](Inner& inner) { prepend(inner.bytes, bytes); });
}

PacketBuilder& PacketBuilder::padding(std::size_t n) {
  padding_ = n;
  return *this;
}

PacketBuilder& PacketBuilder::snap(std::size_t len) {
  snap_ = len;
  return *this;
}

BuiltFrame PacketBuilder::build() const {
  Inner inner;
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) (*layer)(inner);
  put_zeros(inner.bytes, padding_);
  BuiltFrame built;
  built.original_len = static_cast<std::uint32_t>(inner.bytes.size());
  built.link_type = link_type_;
  inner.bytes.resize(std::min(inner.bytes.size(), snap_));
  built.bytes = std::move(inner.bytes);
  return built;
}

}  // namespace slowpath::test
