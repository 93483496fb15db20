// SPDX-License-Identifier: Apache-2.0
// Fragment after fragment out of one frame; the transport checksum lies in the first and is kept.
#include "lab/ip4_fragments.h"

#include <algorithm>
#include <cstring>

#include "lab/packet_edit.h"

namespace slowpath::lab {
namespace {

constexpr std::uint16_t kDontFragment = 0x4000, kMoreFragments = 0x2000;

}  // namespace

std::vector<FramePtr> cut_ip4_fragments(FramePool& pool, const Frame& frame,
                                        const PacketView& packet, std::uint32_t mtu) {
  std::vector<FramePtr> fragments;
  if (packet.ip_version != 4) return fragments;
  const std::uint32_t header = (load_u8(frame.data + packet.ip_offset) & 0x0fU) * 4;
  if (mtu < header + 8 || packet.ip_len <= header) return fragments;
  const std::uint32_t step = (mtu - header) & ~7U;
  const std::uint32_t body = packet.ip_len - header;
  const std::uint32_t headers = packet.ip_offset + header;  // of the link too
  const std::uint16_t kept =
      load_be16(frame.data + packet.ip_offset + 6) & (kDontFragment | kMoreFragments);
  for (std::uint32_t at = 0; at < body; at += step) {
    const std::uint32_t len = std::min(step, body - at);
    const bool is_last = at + len == body;
    FramePtr fragment = pool.copy(frame);
    fragment->vnet = {};
    fragment->len = headers + len;
    std::memcpy(fragment->data + headers, frame.data + headers + at, len);
    std::byte* ip = fragment->data + packet.ip_offset;
    const std::uint16_t more = is_last ? kept & kMoreFragments : kMoreFragments;
    const auto offset = static_cast<std::uint16_t>((packet.fragment_offset + at) / 8);
    store_be16(ip + 2, static_cast<std::uint16_t>(header + len));
    store_be16(ip + 6, static_cast<std::uint16_t>((kept & kDontFragment) | more | offset));
    finish_ip_header(*fragment, view(*fragment));
    fragments.push_back(std::move(fragment));
  }
  return fragments;
}

}  // namespace slowpath::lab
