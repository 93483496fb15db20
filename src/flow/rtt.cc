// SPDX-License-Identifier: Apache-2.0
// Round trips: from data to its ACK, and from a timestamp to its echo.
#include <algorithm>

#include "flow/direction_analysis.h"

namespace slowpath::flow {

void DirectionAnalysis::take_rtt(const Segment& segment, const Record& record, Time now) {
  const double leg_s = to_seconds(record.time - segment.first_sent);
  if (leg_s < 0) return;
  rtt_receiver_.add(leg_s);
  if (record.has_timestamps) receiver_ways_.add(segment.first_sent, record.ts_value, record.time);
  RttFacts& leg = facts_.rtt.receiver_leg;
  if (leg.samples++ == 0 || leg_s < leg.min_s) leg.min_s = leg_s;
  leg.max_s = std::max(leg.max_s, leg_s);
  receiver_leg_typical_s_ =
      receiver_leg_typical_s_ > 0 ? 0.875 * receiver_leg_typical_s_ + 0.125 * leg_s : leg_s;
  if (receiver_leg_min_ == Duration{0} || from_seconds(leg_s) < receiver_leg_min_)
    receiver_leg_min_ = from_seconds(leg_s);
  // Where the tap is away from the sender and echoes tell the other leg, echo_sample() takes the
  // totals.
  if (away_from_sender() && facts_.rtt.sender_leg.samples > 0) return;
  take_total_rtt(leg_s + to_seconds(sender_leg_min_),
                 {static_cast<std::int64_t>(segment.flight_bytes),
                  static_cast<std::int64_t>(facts_.flight_max_bytes)},
                 now);
}

bool DirectionAnalysis::away_from_sender() const {
  // Of a capture begun in mid-transfer the other leg shows only with the first ACK.
  return receiver_leg_typical_s_ > 0 && sender_leg_min_ > Duration{0} &&
         to_seconds(sender_leg_min_) >= 0.2 * receiver_leg_typical_s_;
}

void DirectionAnalysis::take_total_rtt(double total_s, Load load, Time now) {
  rtt_last_s_ = total_s;
  round_rtt_min_s_ = std::min(round_rtt_min_s_, total_s);
  rtt_total_.add(total_s);
  if (rtt_min_s_ == 0 || total_s < rtt_min_s_) rtt_min_s_ = total_s;
  facts_.rtt.total.max_s = std::max(facts_.rtt.total.max_s, total_s);
  if (srtt_s_ == 0) {  // RFC 6298 section 2
    srtt_s_ = total_s;
    rttvar_s_ = total_s / 2;
  } else {
    rttvar_s_ = 0.75 * rttvar_s_ + 0.25 * std::abs(srtt_s_ - total_s);
    srtt_s_ = 0.875 * srtt_s_ + 0.125 * total_s;
  }
  if (load.flight <= 2 * static_cast<std::int64_t>(std::max(segment_size_, 1u)))
    rtt_idle_.add(total_s);
  if (load.flight * 2 > load.most) rtt_loaded_.add(total_s);
  TimelineBin& bin = timeline_.bin(now);
  const auto rtt = static_cast<float>(total_s);
  bin.rtt_min_s = bin.rtt_min_s == 0 ? rtt : std::min(bin.rtt_min_s, rtt);
  bin.rtt_max_s = std::max(bin.rtt_max_s, rtt);
}

// The sender echoes the receiver's timestamp (RFC 7323 section 3): the trip from the tap to the
// sender and back.
void DirectionAnalysis::echo_sample(const Record& record) {
  if (!record.has_timestamps || record.payload_len == 0) return;
  while (stamp_head_ < stamps_.size() &&
         SeqNum{stamps_[stamp_head_].value} < SeqNum{record.ts_echo})
    ++stamp_head_;
  if (stamp_head_ >= stamps_.size() || stamps_[stamp_head_].value != record.ts_echo) return;
  const Stamp echoed = stamps_[stamp_head_];
  const double leg_s = to_seconds(record.time - echoed.time);
  ++stamp_head_;
  // A sender that paused did not answer: only echoes within a running stream tell the leg.
  const double since_data_s = to_seconds(record.time - last_data_);
  const double usual_s = std::max(facts_.rtt.sender_leg.min_s, to_seconds(sender_leg_min_));
  const bool silent = since_data_s > 0.5 * leg_s && leg_s > 2 * usual_s + 0.001;
  if (leg_s < 0 || facts_.data_packets < 2 || silent || in_recovery_) return;
  rtt_sender_.add(leg_s);
  sender_leg_typical_s_ =
      sender_leg_typical_s_ > 0 ? 0.875 * sender_leg_typical_s_ + 0.125 * leg_s : leg_s;
  sender_ways_.add(echoed.time, record.ts_value, record.time);
  RttFacts& leg = facts_.rtt.sender_leg;
  if (leg.samples++ == 0 || leg_s < leg.min_s) leg.min_s = leg_s;
  leg.max_s = std::max(leg.max_s, leg_s);
  if (!away_from_sender()) return;
  // What the sender had in flight when it sent this: what passes here tells only the leg to the
  // receiver.
  const std::int64_t flight =
      std::max(0, record.sequence + record.payload_len - echoed.acknowledged);
  echo_flight_max_ = std::max(echo_flight_max_, flight);
  take_total_rtt(leg_s + receiver_leg_typical_s_, {flight, echo_flight_max_}, record.time);
}

}  // namespace slowpath::flow
