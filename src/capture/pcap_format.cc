// SPDX-License-Identifier: Apache-2.0
#include "capture/pcap_format.h"

#include <fmt/format.h>

namespace slowpath::capture {
namespace {

constexpr std::uint32_t kMagicMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kMagicModified = 0xa1b2cd34;

}  // namespace

bool is_pcap_magic(const std::byte* at) {
  for (const std::uint32_t magic : {load_le32(at), load_be32(at)}) {
    if (magic == kMagicMicroseconds || magic == kMagicNanoseconds || magic == kMagicModified) {
      return true;
    }
  }
  return false;
}

PcapFormat format_of_magic(const std::byte* magic) {
  PcapFormat format;
  const std::uint32_t little = load_le32(magic);
  const std::uint32_t big = load_be32(magic);
  format.swapped =
      little != kMagicMicroseconds && little != kMagicNanoseconds && little != kMagicModified;
  const std::uint32_t value = format.swapped ? big : little;
  if (value == kMagicNanoseconds) {
    format.ns_per_fraction = 1;
    format.fractions_per_s = 1'000'000'000;
  }
  format.modified = value == kMagicModified;
  if (format.modified) format.header_len = 24;
  return format;
}

Result<LengthOrder> length_order_of(const std::string& name, std::uint16_t major,
                                    std::uint16_t minor) {
  if (major == 543 && minor == 0) return LengthOrder::original_first;
  if (major != 2 || minor > 4) {
    return fail(ErrorKind::input, reading(name),
                fmt::format("it is a pcap file of version {}.{}, and only 2.0 to 2.4 are known",
                            major, minor),
                "the header may be damaged: capture again, or try editcap (Wireshark)");
  }
  if (minor < 3) return LengthOrder::original_first;
  return minor == 3 ? LengthOrder::smaller_is_captured : LengthOrder::captured_first;
}

}  // namespace slowpath::capture
