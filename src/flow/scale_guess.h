// SPDX-License-Identifier: Apache-2.0
// The scale of a window whose handshake was not captured, from what both ends do with it.
#pragma once

#include <cstdint>
#include <span>

#include "flow/record.h"

namespace slowpath::flow {

struct ScaleGuess {
  std::uint8_t shift = 0;  // the least that leaves room for all that was sent
  bool told = false;       // nothing else explains what both ends did
};

/// Of the windows that the sender of `way` advertises. A scale is too small where the other end
/// sends beyond the edge, and too large where the edge moves back while data is acknowledged, which
/// receivers do not do (RFC 9293 section 3.8.6). It is told where edges stand still by it, or where
/// the sender stops at the edge again and again. `segment`: of the data, 0 unknown.
ScaleGuess guess_scale(std::span<const Record> records, Direction way, std::uint32_t segment);

}  // namespace slowpath::flow
