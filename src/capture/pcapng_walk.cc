// SPDX-License-Identifier: Apache-2.0
#include "capture/pcapng_walk.h"

#include <optional>

#include "capture/wanted_record.h"

namespace slowpath::capture {
namespace {

constexpr std::uint64_t kNoLast = ~std::uint64_t{0};
constexpr std::size_t kDataOffset = 8 + kEnhancedFixedLen;
constexpr std::size_t kLeastLen = kDataOffset + 4;

}  // namespace

/// Not beyond the block of number `last`, which is_wanted(its bytes, its link type) is not asked
/// for.
template <typename IsWanted>
std::size_t PcapngWalk::walk(Place& place, std::uint64_t last, std::span<wire::Frame> frames,
                             const IsWanted& is_wanted) {
  const std::byte* const begin = place.shown.data();
  const std::byte* at = begin;
  const std::size_t shown = place.shown.size();
  std::uint64_t number = place.number;
  std::size_t count = 0;
  while (count < frames.size() && number != last) {
    const std::size_t left = shown - static_cast<std::size_t>(at - begin);
    if (left < kLeastLen) break;
    const std::uint32_t len = load_le32(at + 4), index = load_le32(at + 8);
    const std::uint32_t captured_len = load_le32(at + 20), original_len = load_le32(at + 24);
    const bool odd = (load_le32(at) != kEnhancedPacket) |
                     (kLeastLen + (std::size_t{captured_len} + 3) / 4 * 4 != len) | (len > left) |
                     (index >= place.interfaces.size()) | (captured_len - 1 >= original_len);
    if (odd || load_le32(at + len - 4) != len) break;
    fetch_.ahead_of(at, len);
    const PcapngInterface& from = place.interfaces[index];
    const std::optional<Time> time =
        from.clock.to_time(std::uint64_t{load_le32(at + 12)} << 32 | load_le32(at + 16));
    if (!time || from.fcs_len != 0 || from.tells_direction) [[unlikely]]
      break;
    ++number;
    const std::byte* const block = at;
    at += len;
    const Bytes bytes{block + kDataOffset, captured_len};
    if (number != last && !is_wanted(bytes, from.link_type)) continue;
    wire::Frame& frame = frames[count++];
    frame.bytes = bytes;
    frame.original_len = original_len;
    frame.link_type = from.link_type;
    frame.direction = wire::FrameDirection::unknown;
    frame.has_time = true;
    frame.input = place.input;
    frame.interface = place.first_interface + index;
    frame.time = *time;
    frame.number = number;
    frame.byte_offset = place.offset + kDataOffset + static_cast<std::uint64_t>(block - begin);
  }
  const auto walked = static_cast<std::size_t>(at - begin);
  place.shown = place.shown.subspan(walked);
  place.offset += walked;
  place.number = number;
  return count;
}

std::size_t PcapngWalk::read(Place& place, std::span<wire::Frame> frames) {
  return walk(place, kNoLast, frames, [](Bytes, wire::LinkType) { return true; });
}

std::size_t PcapngWalk::read_wanted(Place& place, const HashFilter& wanted, std::uint64_t most,
                                    std::span<wire::Frame> frames) {
  return walk(place, place.number + most, frames, [&wanted](Bytes bytes, wire::LinkType link_type) {
    return may_be_wanted(wanted, link_type, bytes);
  });
}

}  // namespace slowpath::capture
