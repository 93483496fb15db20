// SPDX-License-Identifier: Apache-2.0
// See ack_way.h.
#include "detect/ack_way.h"

#include <algorithm>

#include "detect/policy.h"

namespace slowpath::detect {
namespace {

// Round trips that show how it mostly was.
constexpr std::uint64_t kSamples = 20;
// A leg that makes up less of the round trip may stay untold.
constexpr double kMainLeg = 0.5;
// Clocks of hosts drift apart by 100 ppm at most; twice that.
constexpr double kDrift = 2e-4;
// The ACKs' way grows by so many times what the data's does.
constexpr double kOneSided = 3;

double error_of(const LegWays& leg) { return leg.tick_s + kDrift * leg.span_s; }

}  // namespace

WaysOfTrip ways_of(const DirectionFacts& data) {
  const LegWays& receiver = data.ways.receiver_leg;
  const LegWays& sender = data.ways.sender_leg;
  const RttSet& rtt = data.rtt;
  const bool receiver_is_main = rtt.receiver_leg.median_s >= kMainLeg * rtt.total.median_s;
  WaysOfTrip ways;
  ways.known = (receiver_is_main ? receiver : sender).samples >= kSamples;
  if (!ways.known) return ways;
  if (receiver.samples >= kSamples) {
    ways.data_s += receiver.data.median_s;
    ways.ack_s += receiver.ack.median_s;
    ways.ack_median_s += receiver.ack.median_s;
    ways.error_s += error_of(receiver);
  }
  // At the sender the tap sees it answer at once.
  ways.at_sender = data.vantage == Vantage::sender;
  if (!ways.at_sender && sender.samples >= kSamples) {
    ways.data_s += sender.data.median_s;
    ways.ack_s += sender.ack.p25_s;
    ways.ack_median_s += sender.ack.median_s;
    ways.error_s += error_of(sender);
  }
  return ways;
}

bool queue_is_on_ack_way(const DirectionFacts& data) {
  const WaysOfTrip ways = ways_of(data);
  return ways.known && ways.ack_s - ways.error_s >= kMaterialSeconds &&
         ways.ack_s - ways.error_s >= kOneSided * ways.data_s;
}

}  // namespace slowpath::detect
