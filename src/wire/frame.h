// SPDX-License-Identifier: Apache-2.0
// A frame as a capture hands it over: its bytes and what the capture says about them.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"

namespace slowpath::wire {

/// Link types by their LINKTYPE_ number (www.tcpdump.org/linktypes.html). Others are carried as they are and not decoded.
enum class LinkType : std::uint16_t {
  null_loopback = 0,   // 4-byte family in the capturing host's byte order
  ethernet = 1,
  ppp = 9,
  ppp_hdlc = 50,
  ppp_ether = 51,      // PPPoE session header first
  raw_bsd = 12,        // DLT_RAW as some old files have it
  raw_openbsd = 14,
  raw = 101,           // IPv4 or IPv6, told by the first nibble
  ieee80211 = 105,
  loop = 108,          // OpenBSD loopback: family in network byte order
  linux_sll = 113,
  ieee80211_radiotap = 127,
  ppp_with_direction = 204,
  ipv4 = 228,
  ipv6 = 229,
  fddi = 10,
  linux_sll2 = 276,
};

/// Which way the capturing interface saw it, where the format says so (pcapng epb_flags, cooked packet type).
enum class FrameDirection : std::uint8_t { unknown, inbound, outbound };

/// One captured frame. `bytes` is valid until the source's next read, and for the source's whole life when the
/// source is mapped (see capture::Source::stable_bytes).
struct Frame {
  Bytes bytes;                      // what was captured, at most original_len
  std::uint32_t original_len = 0;   // length on the wire without FCS, in bytes
  LinkType link_type = LinkType::ethernet;
  FrameDirection direction = FrameDirection::unknown;
  bool has_time = true;             // pcapng simple packet blocks carry no time
  std::uint16_t input = 0;          // index of the file in the list of inputs
  std::uint32_t interface = 0;      // index of the interface within that input
  Time time{};
  std::uint64_t number = 0;         // 1-based within its file, as Wireshark counts
  std::uint64_t byte_offset = 0;    // where `bytes` begins in the (decompressed) input
};

}  // namespace slowpath::wire
