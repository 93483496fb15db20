// SPDX-License-Identifier: Apache-2.0
// Counting and thresholds of both_ways.h.
#include "detect/both_ways.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "detect/arithmetic/statistics.h"

namespace slowpath::detect {
namespace {

// The other way carries data: so many full segments in a bin; bare ACKs are fewer bytes.
constexpr double kSegmentsBack = 3;
// Both ways at once lose so much, and so many times more than one way alone.
constexpr double kLossShare = 0.01, kFactor = 10;
// By chance, losses would keep to these times so well once in a million.
constexpr double kChance = 1e-6;
constexpr double kAsFast = 0.8;

const TimelineBin* bin_at(const Timeline& timeline, Time at) {
  if (timeline.bin_s <= 0 || at < timeline.start) return nullptr;
  const auto i = static_cast<std::size_t>(seconds_between(timeline.start, at) / timeline.bin_s);
  return i < timeline.bins.size() ? &timeline.bins[i] : nullptr;
}

bool carries_data(const DirectionFacts& data, Time at) {
  const TimelineBin* bin = bin_at(data.timeline, at);
  const double segment = std::max(1U, data.segment_size);
  return bin != nullptr && static_cast<double>(bin->sent_bytes) >= kSegmentsBack * segment;
}

}  // namespace

bool BothWays::as_fast_alone() const {
  return alone * both_stretches >= kAsFast * both * alone_stretches;
}

BothWays both_ways_of(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const Timeline& timeline = data.timeline;
  const double segment = std::max(1U, data.segment_size);
  BothWays ways;
  const std::span<const TimelineBin> bins = timeline.bins.kept();
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const double middle = timeline.bins.numbers()[i] + 0.5;
    const Time at = timeline.start + from_seconds(middle * timeline.bin_s);
    const double sent = static_cast<double>(bins[i].sent_bytes) / segment;
    if (sent <= 0) continue;
    const bool both = carries_data(transfer.reverse(), at);
    (both ? ways.both : ways.alone) += sent;
    (both ? ways.both_stretches : ways.alone_stretches) += 1;
  }
  for (const LossEvent& loss : data.losses) {
    const Time sent = loss.time - from_seconds(loss.waited_s);
    (carries_data(transfer.reverse(), sent) ? ways.both_lost : ways.alone_lost) += 1;
  }
  return ways;
}

bool losses_keep_to_both_ways(const BothWays& ways) {
  if (!ways.tell()) return false;
  const double losses = ways.both_lost + ways.alone_lost;
  const double chance = ways.both / (ways.both + ways.alone);
  const bool by_chance =
      arithmetic::chance_of_at_most(static_cast<std::uint64_t>(ways.alone_lost),
                                    static_cast<std::uint64_t>(losses), 1 - chance) > kChance;
  return !by_chance && ways.both_share() >= kLossShare &&
         ways.both_share() >= kFactor * ways.alone_share();
}

}  // namespace slowpath::detect
