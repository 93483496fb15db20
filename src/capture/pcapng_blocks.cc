// SPDX-License-Identifier: Apache-2.0
#include "capture/pcapng_blocks.h"

#include <utility>

#include "capture/pcapng_options.h"

namespace slowpath::capture {
namespace {

enum SectionOption : std::uint16_t { kHardware = 2, kOs = 3, kApplication = 4 };
enum InterfaceOption : std::uint16_t {
  kName = 2,
  kDescription = 3,
  kTsResol = 9,
  kFilter = 11,
  kFcsLen = 13,
  kTsOffset = 14
};
enum StatisticsOption : std::uint16_t { kIfDrop = 5, kOsDrop = 7 };

/// take(options, option) for each but comments, which are kept in `block` as is whether one broke.
template <typename Block, typename Take>
void take_options(Bytes bytes, bool big_endian, Block& block, Take&& take) {
  PcapngOptions options(bytes, big_endian);
  PcapngOption option;
  while (options.next(option)) {
    if (option.code == kCommentOption) {
      block.comments.push_back(option.text());
    } else {
      take(options, option);
    }
  }
  block.is_broken = options.is_broken();
}

void take_option(const PcapngOptions& options, const PcapngOption& option,
                 PcapngDescription& described) {
  const bool is_one_byte = option.value.size() == 1;
  switch (option.code) {
    case kName:
      described.info.name = option.text();
      return;
    case kDescription:
      described.info.description = option.text();
      return;
    case kTsResol:
      if (is_one_byte) described.resolution = load_u8(option.value.data());
      return;
    case kTsOffset:
      described.offset_s = static_cast<std::int64_t>(options.u64(option));
      return;
    case kFcsLen:
      if (is_one_byte) described.info.fcs_len = load_u8(option.value.data());
      return;
    case kFilter:  // a first byte of 0 says that text follows, 1 a BPF program
      if (!option.value.empty() && load_u8(option.value.data()) == 0) {
        described.info.filter = PcapngOption{option.code, option.value.subspan(1)}.text();
      }
      return;
    default:
      return;
  }
}

}  // namespace

PcapngSection read_section(Bytes body, bool big_endian) {
  constexpr std::size_t kFixedLen = 16;
  PcapngSection section;
  ByteCursor cursor(body, big_endian);
  const bool is_marked = cursor.u32() == kByteOrderMagic && body.size() >= kFixedLen;
  section.major = cursor.u16();
  section.minor = cursor.u16();
  // 1.2 was written by some and is the same as 1.0 (the draft's section 4.1).
  section.is_known = is_marked && section.major == 1 && (section.minor == 0 || section.minor == 2);
  if (!section.is_known) return section;
  take_options(body.subspan(kFixedLen), big_endian, section,
               [&](const PcapngOptions&, const PcapngOption& option) {
                 if (option.code == kHardware) section.hardware = option.text();
                 if (option.code == kOs) section.os = option.text();
                 if (option.code == kApplication) section.application = option.text();
               });
  return section;
}

std::optional<PcapngDescription> read_description(Bytes body, bool big_endian) {
  constexpr std::size_t kFixedLen = 8;
  if (body.size() < kFixedLen) return std::nullopt;
  PcapngDescription described;
  ByteCursor cursor(body, big_endian);
  described.info.link_type = static_cast<wire::LinkType>(cursor.u16());
  cursor.skip(2);  // reserved
  described.info.snap_len = cursor.u32();
  take_options(body.subspan(kFixedLen), big_endian, described,
               [&](const PcapngOptions& options, const PcapngOption& option) {
                 take_option(options, option, described);
               });
  return described;
}

std::optional<PcapngStatistics> read_statistics(Bytes body, bool big_endian) {
  constexpr std::size_t kFixedLen = 12;
  if (body.size() < kFixedLen) return std::nullopt;
  PcapngStatistics statistics;
  statistics.interface = ByteCursor(body, big_endian).u32();
  take_options(body.subspan(kFixedLen), big_endian, statistics,
               [&](const PcapngOptions& options, const PcapngOption& option) {
                 if (option.code == kIfDrop || option.code == kOsDrop)
                   statistics.drops += options.u64(option);
               });
  return statistics;
}

}  // namespace slowpath::capture
