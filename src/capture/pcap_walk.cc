// SPDX-License-Identifier: Apache-2.0
#include "capture/pcap_walk.h"

#include "capture/wanted_record.h"

namespace slowpath::capture {
namespace {

constexpr std::uint64_t kNoLast = ~std::uint64_t{0};

}  // namespace

/// Not beyond the record of number `last`, which is_wanted(its bytes) is not asked for.
template <typename IsWanted>
std::size_t PcapWalk::walk(Place& place, const PcapFormat& format, std::uint64_t last,
                           std::span<wire::Frame> frames, const IsWanted& is_wanted) {
  const std::byte* const begin = place.shown.data();
  const std::byte* at = begin;
  const std::size_t shown = place.shown.size();
  const std::uint64_t data_offset = place.offset + kPcapRecordHeaderLen;
  std::uint64_t number = place.number;
  std::uint32_t seconds = place.seconds;
  std::size_t count = 0;
  while (count < frames.size() && number != last) {
    const std::size_t left = shown - static_cast<std::size_t>(at - begin);
    if (left < kPcapRecordHeaderLen) break;
    const RecordHeader header{load_le32(at), load_le32(at + 4), load_le32(at + 8),
                              load_le32(at + 12)};
    const std::size_t record_len = std::size_t{kPcapRecordHeaderLen} + header.captured_len;
    const bool odd = (header.captured_len - 1 >= format.max_captured_len) |
                     (header.captured_len > header.original_len) |
                     (header.fraction >= format.fractions_per_s) |
                     !within_a_day(header.seconds, seconds) | (record_len > left);
    if (odd) break;
    fetch_.ahead_of(at, record_len);
    seconds = header.seconds;
    ++number;
    const std::byte* const record = at;
    at += record_len;
    const Bytes bytes{record + kPcapRecordHeaderLen, header.captured_len};
    if (number != last && !is_wanted(bytes)) continue;
    wire::Frame& frame = frames[count++];
    frame.bytes = bytes;
    frame.original_len = header.original_len;
    frame.link_type = format.link_type;
    frame.direction = wire::FrameDirection::unknown;
    frame.has_time = true;
    frame.input = place.input;
    frame.interface = 0;
    frame.time = time_of(header, format);
    frame.number = number;
    frame.byte_offset = data_offset + static_cast<std::uint64_t>(record - begin);
  }
  const auto walked = static_cast<std::size_t>(at - begin);
  place = {place.shown.subspan(walked), place.offset + walked, number, seconds, place.input};
  return count;
}

std::size_t PcapWalk::read(Place& place, const PcapFormat& format, std::span<wire::Frame> frames) {
  return walk(place, format, kNoLast, frames, [](Bytes) { return true; });
}

std::size_t PcapWalk::read_wanted(Place& place, const PcapFormat& format, const HashFilter& wanted,
                                  std::uint64_t most, std::span<wire::Frame> frames) {
  const wire::LinkType link_type = format.link_type;
  return walk(place, format, place.number + most, frames, [&wanted, link_type](Bytes bytes) {
    return may_be_wanted(wanted, link_type, bytes);
  });
}

}  // namespace slowpath::capture
