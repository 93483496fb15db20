// SPDX-License-Identifier: Apache-2.0
// On which way of a round trip its queue stands: the data's, or the one that its ACKs take. From
// facts/ways.h; shared by the detectors that judge queues.
#pragma once

#include "detect/support.h"

namespace slowpath::detect {

/// What each way of the whole round trip takes beyond its least, as it mostly was (median). Where
/// the tap is away from the sender of the data, the sender's own waiting is kept out of the ACKs'
/// way by taking the lower quartile there.
struct WaysOfTrip {
  double data_s = 0, ack_s = 0;
  double ack_median_s = 0;  // the sender's own waiting included
  double error_s = 0;       // of each: a tick, and how far clocks drift apart
  bool at_sender = false;   // the tap: then nothing but the path is in the ACKs' way
  bool known = false;
};

WaysOfTrip ways_of(const DirectionFacts& data);

/// The round trip grows because ACKs wait on their way back, and the data hardly does.
bool queue_is_on_ack_way(const DirectionFacts& data);

}  // namespace slowpath::detect
