// SPDX-License-Identifier: Apache-2.0
// wire::decode(), with its shortcuts for what is usual, against a plain twin that has none. Of the
// input the first byte says what is set right, so that most inputs are segments: the versions, the
// lengths, the protocol, the usual timestamps.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plain_decode.h"
#include "require.h"
#include "wire/packet.h"

namespace {

using namespace slowpath;
using fuzz::PlainSegment;
using fuzz::require;

constexpr std::size_t kIp = 14;

void set16(std::vector<std::uint8_t>& frame, std::size_t at, std::size_t value) {
  frame[at] = static_cast<std::uint8_t>(value >> 8);
  frame[at + 1] = static_cast<std::uint8_t>(value);
}

void mend_ip(std::vector<std::uint8_t>& frame, bool ipv6) {
  const std::size_t ip_len = frame.size() - kIp;
  set16(frame, 12, ipv6 ? 0x86dd : 0x0800);
  if (ipv6) {
    frame[kIp] = 0x60 | (frame[kIp] & 0x0f);
    set16(frame, kIp + 4, ip_len - 40);
    frame[kIp + 6] = 6;
  } else {
    frame[kIp] = 0x45;
    set16(frame, kIp + 2, ip_len);
    set16(frame, kIp + 6, 0x4000);
    frame[kIp + 9] = 6;
  }
}

/// The usual options of a data segment.
void mend_tcp(std::vector<std::uint8_t>& frame, std::size_t tcp) {
  if (frame.size() < tcp + 32) return;
  frame[tcp + 12] = 0x80;
  set16(frame, tcp + 20, 0x0101);
  set16(frame, tcp + 22, 0x080a);
}

std::vector<std::uint8_t> frame_of(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> frame(data + 1, data + size);
  const bool ipv6 = (data[0] & 1) != 0;
  const std::size_t tcp = kIp + (ipv6 ? 40 : 20);
  if ((data[0] & 2) != 0 && frame.size() >= tcp + 20) {
    mend_ip(frame, ipv6);
    if ((data[0] & 4) != 0) mend_tcp(frame, tcp);
  }
  return frame;
}

void compare_options(const TcpOptions& options, const PlainSegment& plain) {
  require(options.malformed == plain.malformed);
  require(options.has_mss == plain.mss.has_value());
  if (plain.mss) require(options.mss == *plain.mss);
  require(options.has_window_scale == plain.window_scale.has_value());
  if (plain.window_scale) require(options.window_scale == *plain.window_scale);
  require(options.sack_permitted == plain.sack_permitted);
  require(options.has_timestamps == plain.timestamps.has_value());
  if (plain.timestamps) {
    require(options.ts_value == plain.timestamps->first &&
            options.ts_echo == plain.timestamps->second);
  }
  require(options.sack_count == plain.sack.size());
  for (std::size_t i = 0; i < plain.sack.size(); ++i) {
    require(options.sack[i].begin == SeqNum{plain.sack[i].first});
    require(options.sack[i].end == SeqNum{plain.sack[i].second});
  }
}

void compare(const wire::Packet& packet, const PlainSegment& plain, const std::byte* frame) {
  require(packet.kind == wire::PacketKind::tcp && packet.tunnel_depth == 0 && !packet.is_fragment);
  require(packet.source.version == plain.ip_version &&
          packet.destination.version == plain.ip_version);
  require(packet.source.bytes == plain.source && packet.destination.bytes == plain.destination);
  require(packet.ttl == plain.ttl && packet.ecn == plain.ecn);
  require(packet.source_port == plain.source_port);
  require(packet.destination_port == plain.destination_port);
  require(packet.sequence == SeqNum{plain.sequence});
  require(packet.acknowledgment == SeqNum{plain.acknowledgment});
  require(packet.tcp_flags == plain.flags && packet.tcp_window == plain.window);
  require(packet.checksum == plain.checksum && packet.tcp_header_len == plain.header_len);
  require(packet.payload_len == plain.payload_len && packet.payload.size() == plain.payload_len);
  if (plain.payload_len != 0) require(packet.payload.data() == frame + plain.payload_offset);
  compare_options(packet.options, plain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 + kIp) return 0;
  const std::vector<std::uint8_t> bytes = frame_of(data, size);
  const auto plain = fuzz::plain_decode(bytes.data(), bytes.size());
  if (!plain) return 0;
  wire::Frame frame;
  frame.bytes = {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
  frame.original_len = static_cast<std::uint32_t>(bytes.size());
  wire::Packet packet;
  wire::decode(frame, packet);
  compare(packet, *plain, frame.bytes.data());
  return 0;
}
