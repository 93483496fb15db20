// SPDX-License-Identifier: Apache-2.0
// The blocks of a pcapng file: their types, and what those say that are no packets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "capture/pcapng_clock.h"
#include "capture/source.h"

namespace slowpath::capture {

/// Of draft-ietf-opsawg-pcapng section 10.1.
enum PcapngBlock : std::uint32_t {
  kInterfaceDescription = 1,
  kPacket = 2,  // obsolete
  kSimplePacket = 3,
  kInterfaceStatistics = 5,
  kEnhancedPacket = 6,
  kSystemdJournal = 9,
  kDecryptionSecrets = 10,
  kCustomCopied = 0xbad,
  kSectionHeader = 0x0a0d0d0a,
  kCustomNotCopied = 0x40000bad,
};

inline constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
inline constexpr std::size_t kBlockFrameLen = 12;     // type, length, length
inline constexpr std::size_t kEnhancedFixedLen = 20;  // what stands before the data in a body
inline constexpr std::uint16_t kCommentOption = 1;    // of any block

/// What a reader needs of an interface to take its packets.
struct PcapngInterface {
  PcapngClock clock;
  wire::LinkType link_type{};
  std::uint8_t fcs_len = 0;
  bool tells_direction = false;  // the frames' own headers do
  std::uint32_t snap_len = 0;
  std::uint64_t statistics_drops = 0;  // as the last statistics block had it, since the beginning
};

/// Each of these is read from the body of its block, in its section's byte order. `is_broken`: an
/// option claims more than the block holds; what stood before it is there.
struct PcapngSection {
  bool is_known = false;  // 1.0, or 1.2, which is the same; else only the version is told
  std::uint16_t major = 0, minor = 0;
  std::string hardware, os, application;  // empty: not told
  std::vector<std::string> comments;
  bool is_broken = false;
};
PcapngSection read_section(Bytes body, bool big_endian);

struct PcapngDescription {
  InterfaceInfo info;
  std::uint8_t resolution = 6;  // as if_tsresol has it: microseconds
  std::int64_t offset_s = 0;    // if_tsoffset
  std::vector<std::string> comments;
  bool is_broken = false;
};
/// Nothing where the body is too short for its fields; so below.
std::optional<PcapngDescription> read_description(Bytes body, bool big_endian);

struct PcapngStatistics {
  std::uint32_t interface = 0;  // within the section
  std::uint64_t drops = 0;      // of the interface and the system
  std::vector<std::string> comments;
  bool is_broken = false;
};
std::optional<PcapngStatistics> read_statistics(Bytes body, bool big_endian);

}  // namespace slowpath::capture
