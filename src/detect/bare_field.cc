// SPDX-License-Identifier: Apache-2.0
// See bare_field.h.
#include "detect/bare_field.h"

namespace slowpath::detect {

namespace {

// Segments are at least so long where a window allows it (RFC 9293 section 3.7.1).
constexpr std::uint16_t kLeastSegment = 536;
// Data packets of the other side for each one of this: what is asked for may be as long as the
// window by chance, as 256 and 512 bytes are.
constexpr std::uint64_t kSendsForOneBack = 10;

}  // namespace

bool keeps_to_bare_field(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const WindowFacts& window = data.window;
  // A field above the segment size could be met by chance; one below half of it cuts segments.
  return window.knowledge == ScaleKnowledge::negotiated && window.shift >= 3 &&
         window.raw_max > 0 && data.segment_size > 2U * window.raw_max && window.holds_bare;
}

bool keeps_to_small_field(const Transfer& transfer) {
  const WindowFacts& window = transfer.data().window;
  return window.knowledge == ScaleKnowledge::unknown && window.raw_max > 0 &&
         window.raw_max < kLeastSegment && window.holds_bare &&
         transfer.reverse().data_packets * kSendsForOneBack < window.bare_sends;
}

}  // namespace slowpath::detect
