// SPDX-License-Identifier: Apache-2.0
// How fast the segments of one burst follow one another when they arrive: what the path and the hosts carry while they
// carry, whatever makes the sender wait between bursts (Dovrolis, Ramanathan, Moore, INFOCOM 2001, on packet trains).
// Fed with arrivals where the tap is at the receiver, else with the ACKs of new data, which keep their spacing.
#pragma once

#include <algorithm>
#include <cstdint>

#include "facts/direction.h"
#include "flow/pair_spacing.h"
#include "flow/sampler.h"

namespace slowpath::flow {

class TrainMeter {
 public:
  /// In-order data arrived, or was acknowledged, at `at`. The first of a train only starts the clock, and a pause of a
  /// good part of the round trip ends it.
  void arrived(Time at, std::int64_t bytes, std::uint32_t segment_size, double rtt_s) {
    const double pause_s = std::max(kPauseRounds * rtt_s, kLeastPause_s);
    const double gap_s = to_seconds(at - newest_);
    pair(at, bytes, segment_size, pause_s);
    if (begun_ && gap_s <= pause_s) {
      bytes_ += bytes;
      ++arrivals_;
      newest_ = at;
      if (bytes_ < kLongest * static_cast<std::int64_t>(segment_size)) return;
    }
    end(segment_size);
    begun_ = true;
    begin_ = newest_ = at;
  }
  /// A copy of older data arrived, or was reported beside a hole: no train is made of such, but the gap before it is
  /// the path's as well.
  void arrived_beside(Time at, std::int64_t bytes, std::uint32_t segment_size, double rtt_s) {
    pair(at, bytes, segment_size, std::max(kPauseRounds * rtt_s, kLeastPause_s));
  }
  /// Order was lost: what comes next is not spaced by the path.
  void interrupt(std::uint32_t segment_size) {
    end(segment_size);
    begun_ = false;
  }

  /// With the train under way. Where trains agree on no rate and the gaps between single segments do, or on one far
  /// above, the upper quantiles are that rate, and the count is that of such gaps if there are more.
  [[nodiscard]] TrainFacts take(std::uint32_t segment_size) {
    end(segment_size);
    const std::vector<float> sorted = rates_.sorted();
    TrainFacts facts{.trains = rates_.seen(),
                     .median_bps = Sampler::quantile_of(sorted, 0.5),
                     .p75_bps = Sampler::quantile_of(sorted, 0.75),
                     .p90_bps = Sampler::quantile_of(sorted, 0.9)};
    const bool agree = facts.trains >= kTrainsToAgree && facts.p90_bps <= kAgreement * facts.p75_bps;
    const PairSpacing::Peak peak = pairs_.peak();
    facts.pair_bps = peak.bps;
    if (peak.pairs > 0) facts.pair_share = static_cast<double>(peak.pairs) / static_cast<double>(pairs_.pairs());
    if (peak.bps > 0 && (!agree || peak.bps > kFarAbove * facts.p75_bps)) {
      facts.trains = std::max(facts.trains, peak.pairs);
      facts.p75_bps = facts.p90_bps = peak.bps;
    }
    return facts;
  }
  [[nodiscard]] std::size_t memory_bytes() const {
    return rates_.memory_bytes() + pairs_.memory_bytes();
  }

 private:
  // From six on, so that the initial window of ten segments (RFC 6928) holds one; cut at 64, so that a path that is
  // always busy shows many.
  static constexpr std::int64_t kSegments = 6, kLongest = 64;
  static constexpr std::uint32_t kArrivals = 3;
  static constexpr double kPauseRounds = 0.25;
  static constexpr double kLeastPause_s = 0.001;  // hosts wake up late
  // As detect/ceilings.cc asks of a path's rate.
  static constexpr std::uint64_t kTrainsToAgree = 20;
  static constexpr double kAgreement = 1.3;
  // Trains with a host's pauses in them agree as well. An ACK for two segments that came as one doubles a rate.
  static constexpr double kFarAbove = 2.5;
  static constexpr double kResolution_s = 1e-6;   // of most captures' clocks

  void pair(Time at, std::int64_t bytes, std::uint32_t segment_size, double pause_s) {
    const double gap_s = to_seconds(at - last_);
    if (any_ && gap_s <= pause_s && segment_size > 0 && bytes >= std::int64_t{segment_size}) {
      pairs_.add(static_cast<double>(bytes) * 8, std::max(gap_s, kResolution_s));
    }
    any_ = true;
    last_ = at;
  }

  void end(std::uint32_t segment_size) {
    if (arrivals_ >= kArrivals && bytes_ >= kSegments * static_cast<std::int64_t>(segment_size)) {
      const double seconds = to_seconds(newest_ - begin_);
      rates_.add(static_cast<double>(bytes_) * 8 / std::max(seconds, kResolution_s));
    }
    bytes_ = 0;
    arrivals_ = 0;
  }

  bool begun_ = false;
  bool any_ = false;
  Time begin_{}, newest_{};  // of the train
  Time last_{};              // arrival of any kind
  std::int64_t bytes_ = 0;
  std::uint32_t arrivals_ = 0;
  Sampler rates_;
  PairSpacing pairs_;
};

}  // namespace slowpath::flow
