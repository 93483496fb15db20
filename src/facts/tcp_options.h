// SPDX-License-Identifier: Apache-2.0
// The TCP options of one segment, as plain data (RFC 9293 section 3.1, 7323, 2018, 2385, 5925, 7413).
#pragma once

#include <array>
#include <cstdint>

#include "base/sequence.h"

namespace slowpath {

struct SackBlock {
  SeqNum begin;
  SeqNum end;  // one past the last byte
};

/// Most SACK blocks that fit in 40 bytes of options.
inline constexpr int kMaxSackBlocks = 4;

struct TcpOptions {
  bool has_mss : 1 = false;
  bool has_window_scale : 1 = false;
  bool sack_permitted : 1 = false;
  bool has_timestamps : 1 = false;
  bool has_md5 : 1 = false;        // kind 19
  bool has_ao : 1 = false;         // kind 29
  bool has_fast_open : 1 = false;  // kind 34, or 254 with its magic
  bool has_mptcp : 1 = false;      // kind 30
  bool malformed : 1 = false;      // a length did not fit; what came before it was kept
  bool cut : 1 = false;            // the capture kept only the first of them: what is missing may have been there
  std::uint8_t window_scale = 0;   // as sent; RFC 7323 caps its use at 14
  std::uint8_t sack_count = 0;
  std::uint16_t mss = 0;
  std::uint32_t ts_value = 0;
  std::uint32_t ts_echo = 0;
  std::array<SackBlock, kMaxSackBlocks> sack{};

  /// Whether it is known that an option was not sent.
  [[nodiscard]] bool lacks_window_scale() const { return !has_window_scale && !cut; }
  [[nodiscard]] bool lacks_sack() const { return !sack_permitted && !cut; }
  [[nodiscard]] bool lacks_mss() const { return !has_mss && !cut; }
};

}  // namespace slowpath
