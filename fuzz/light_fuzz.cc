// SPDX-License-Identifier: Apache-2.0
// wire::decode_light(), which reads the usual frames without their layers, against its twin, which
// goes through decode(). The first byte says the link type and how much of the frame was captured;
// every other bit of it sets right what makes most inputs segments.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "require.h"
#include "support/light_packets.h"
#include "wire/common_segment.h"
#include "wire/light_packet.h"

namespace {

using namespace slowpath;
using fuzz::require;

wire::LinkType link_of(unsigned choice) {
  constexpr wire::LinkType kTypes[] = {wire::LinkType::ethernet, wire::LinkType::linux_sll,
                                       wire::LinkType::raw,      wire::LinkType::ipv4,
                                       wire::LinkType::ipv6,     wire::LinkType::raw_bsd};
  return kTypes[choice % std::size(kTypes)];
}

/// What is read in place, of frames that can be.
void compare_in_place(const wire::Frame& frame, const wire::LightPacket& plain) {
  if (!wire::CommonSegment::is_tcp4(frame)) return;
  const wire::CommonSegment segment(frame);
  if (!segment.is_common()) return;
  const wire::CommonEnds ends = wire::CommonSegment::ends_of(frame);
  require(plain.kind == wire::PacketKind::tcp);
  require(ends.key() == plain.key && wire::hash_of(ends.key()) == plain.hash);
  require(ends.from_lower == plain.from_lower);
  require(segment.sequence() == plain.sequence);
  require(segment.acknowledgment() == plain.acknowledgment);
  require(segment.payload_len() == plain.payload_len && segment.flags() == plain.flags);
  require(segment.window() == plain.window && segment.ip_id() == plain.ip_id);
  require(segment.has_timestamps() == plain.has_timestamps && plain.sack_count == 0);
  require(segment.congestion_experienced() == plain.congestion_experienced);
  require(segment.is_ip_header_bad() == plain.ip_header_bad);
  require(!segment.is_cut_or_good() || !plain.checksum_bad);
}

void compare(const wire::Frame& frame) {
  wire::LightPacket quick, plain;
  wire::Packet scratch;
  wire::decode_light(frame, true, quick, scratch);
  wire::decode_light_plain(frame, true, plain, scratch);
  require(test::difference(quick, plain).empty());
  wire::EndsKey key;
  const std::uint64_t hash = wire::hash_of_usual_frame(frame, key);
  if (hash != 0 && plain.kind == wire::PacketKind::tcp) require(hash == plain.hash);
  compare_in_place(frame, plain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::vector<std::uint8_t> bytes(data + 2, data + size);
  wire::Frame frame;
  frame.link_type = link_of(data[0] >> 4);
  const std::size_t ip = frame.link_type == wire::LinkType::ethernet    ? 14
                         : frame.link_type == wire::LinkType::linux_sll ? 16
                                                                        : 0;
  if ((data[0] & 1) != 0 && bytes.size() >= ip + 40) {
    if (ip != 0) bytes[ip - 2] = 0x08, bytes[ip - 1] = 0x00;
    bytes[ip] = 0x45;
    bytes[ip + 6] &= 0x40;
    bytes[ip + 7] = 0;
    bytes[ip + 9] = 6;
    if ((data[0] & 2) != 0) {
      bytes[ip + 2] = static_cast<std::uint8_t>((bytes.size() - ip) >> 8);
      bytes[ip + 3] = static_cast<std::uint8_t>(bytes.size() - ip);
    }
  }
  frame.original_len =
      static_cast<std::uint32_t>(bytes.size()) + ((data[0] & 4) != 0 ? data[1] : 0);
  frame.bytes = {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
  compare(frame);
  return 0;
}
