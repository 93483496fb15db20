// SPDX-License-Identifier: Apache-2.0
// How the delay of a round trip grows on each of its two ways, told apart by the far end's
// timestamp clock (RFC 7323): it says when an ACK, or the data that follows one, left there. Made
// by flow/; plain data. Only growth is known, above the least seen; what each way takes at least is
// not.
#pragma once

#include <cstdint>

namespace slowpath {

/// Quartiles and the high end of a way's growth, in seconds.
struct WayGrowth {
  double p25_s = 0, median_s = 0, p95_s = 0;
};

/// A leg of the round trip, from the capture point to one end and back.
struct LegWays {
  std::uint64_t samples = 0;  // round trips told apart, of which some are kept; 0 = not known
  double tick_s = 0;          // of the far end's timestamp clock
  double span_s = 0;  // first sample to last: clocks that differ by 100 ppm drift 0.1 ms a second
  WayGrowth data;     // the way that the direction's data takes
  WayGrowth ack;      // the way that its ACKs take
};

struct WayFacts {
  /// To the receiver of the data. The data's way holds its wait for a delayed ACK, too.
  LegWays receiver_leg;
  /// To the sender of the data. The ACKs' way holds what the sender took to answer, too.
  LegWays sender_leg;
};

}  // namespace slowpath
