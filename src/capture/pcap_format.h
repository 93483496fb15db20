// SPDX-License-Identifier: Apache-2.0
// How the records of a pcap file are laid out, as its first 24 bytes tell, and how the header of
// one is read. Which records are believed, pcap.cc decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "capture/file_source.h"
#include "wire/frame.h"

namespace slowpath::capture {

inline constexpr std::size_t kPcapRecordHeaderLen = 16;

/// Which of the two lengths comes first. libpcap's sf-pcap.c: before version 2.3 and in DG/UX's
/// 543.0 the original length did; 2.3 was written both ways.
enum class LengthOrder : std::uint8_t { captured_first, original_first, smaller_is_captured };

struct PcapFormat {
  bool swapped = false;
  bool modified = false;
  LengthOrder length_order = LengthOrder::captured_first;
  std::uint8_t fcs_len = 0;
  wire::LinkType link_type{};
  std::uint32_t ns_per_fraction = 1000;
  std::uint32_t fractions_per_s = 1'000'000;
  std::uint32_t max_captured_len = kUsualMaxFrameLen;
  std::uint32_t header_len = kPcapRecordHeaderLen;
};

/// As it is written, its lengths in the usual order.
struct RecordHeader {
  std::uint32_t seconds;
  std::uint32_t fraction;
  std::uint32_t captured_len;
  std::uint32_t original_len;
};

/// `format.header_len` bytes can be read at `at`.
inline RecordHeader load_header(const std::byte* at, const PcapFormat& format) {
  const auto u32 = [&](std::size_t offset) {
    return format.swapped ? load_be32(at + offset) : load_le32(at + offset);
  };
  RecordHeader header{u32(0), u32(4), u32(8), u32(12)};
  if (format.length_order != LengthOrder::captured_first) [[unlikely]] {
    if (format.length_order == LengthOrder::original_first ||
        header.captured_len > header.original_len) {
      std::swap(header.captured_len, header.original_len);
    }
  }
  return header;
}

/// Seconds that may follow one another in a capture; they may wrap.
inline bool within_a_day(std::uint32_t a, std::uint32_t b) {
  constexpr std::uint32_t kDayS = 86'400;
  return a - b + kDayS <= 2 * kDayS;
}

/// 64 bits of nanoseconds hold every 32-bit second and fraction.
inline Time time_of(const RecordHeader& header, const PcapFormat& format) {
  return time_from_ns(std::int64_t{header.seconds} * 1'000'000'000 +
                      std::int64_t{header.fraction} * format.ns_per_fraction);
}

/// True when the first four bytes of a file, at `at`, are one of the magics.
bool is_pcap_magic(const std::byte* at);
/// What the magic alone tells of a file's layout.
PcapFormat format_of_magic(const std::byte* magic);
/// Error: a version that is not read here.
Result<LengthOrder> length_order_of(const std::string& name, std::uint16_t major,
                                    std::uint16_t minor);

}  // namespace slowpath::capture
