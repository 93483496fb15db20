// SPDX-License-Identifier: Apache-2.0
// The rate on which the gaps between successive arrivals agree. Whatever left the sender back to
// back is spread by the bottleneck to its rate, and stays so (Dovrolis, Ramanathan, Moore, INFOCOM
// 2001, on packet pairs). Gaps of other origin scatter: a host that wakes late makes shorter ones,
// a sender that waits makes longer ones. So the rate is where a histogram has a narrow peak, as
// Katti and others (IMC 2004, MultiQ) find capacities; of several the fastest, because windows that
// were halved leave a peak at half the rate.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "facts/link_rate.h"

namespace slowpath::flow {

class PairSpacing {
 public:
  struct Peak {
    double bps = 0;           // payload; 0: none stands out
    std::uint64_t pairs = 0;  // within about 8 % of it
  };

  /// At least one full segment came `gap_s` after the arrival before it.
  void add(double bits, double gap_s) {
    if (counts_.empty()) counts_.resize(kBins);
    ++pairs_;
    if (gap_s < kHostGap_s) return;
    const auto bps = static_cast<float>(bits / gap_s);
    if (!(bps >= kSlowest && bps < kFastest)) return;
    ++counts_[bin_of(bps)];
  }
  [[nodiscard]] std::uint64_t pairs() const { return pairs_; }
  [[nodiscard]] std::size_t memory_bytes() const {
    return counts_.capacity() * sizeof(std::uint32_t);
  }

  /// The fastest narrow peak that a twentieth of the pairs made, and a quarter as many as the
  /// highest one.
  [[nodiscard]] Peak peak() const {
    if (pairs_ < kLeast) return {};
    std::uint64_t highest = 0;
    for (std::size_t bin = kReach; bin + kReach < counts_.size(); ++bin) {
      if (stands_out(bin)) highest = std::max(highest, around(bin));
    }
    if (highest == 0) return {};
    for (std::size_t bin = counts_.size() - kReach; bin-- > kReach;) {
      if (!stands_out(bin) || around(bin) * 4 < highest) continue;
      return {.bps = centre_of(bin), .pairs = around(bin)};
    }
    return {};
  }

 private:
  // 16 bins an octave, 4.4 to 6.2 % wide: the exponent and the first four bits of a float's
  // fraction.
  static constexpr int kFractionBits = 19;
  static constexpr float kSlowest = 1 << 17;  // 131 kbit/s: 88 ms a segment of Ethernet's size
  static constexpr float kFastest = 1 << 30;  // 1.07 Gbit/s, of segments that were merged
  static constexpr std::uint32_t kFirst = std::bit_cast<std::uint32_t>(kSlowest) >> kFractionBits;
  static constexpr std::size_t kBins =
      (std::bit_cast<std::uint32_t>(kFastest) >> kFractionBits) - kFirst;
  static constexpr std::size_t kReach = 6;     // bins to either side that a peak is held against
  static constexpr std::size_t kShoulder = 3;  // the first of them
  static constexpr std::uint64_t kLeast = 20;  // in a peak
  static constexpr double kLeastShare = 0.05;  // of all pairs
  static constexpr double kProminence = 3;     // times what is beside it

  static std::size_t bin_of(float bps) {
    return (std::bit_cast<std::uint32_t>(bps) >> kFractionBits) - kFirst;
  }
  static double lower_edge(std::size_t bin) {
    return static_cast<double>(
        std::bit_cast<float>((kFirst + static_cast<std::uint32_t>(bin)) << kFractionBits));
  }
  /// Mean of a bin and its neighbours, each taken as its middle.
  [[nodiscard]] double centre_of(std::size_t bin) const {
    double sum = 0;
    for (std::size_t at = bin - 1; at <= bin + 1; ++at) {
      sum += counts_[at] * (lower_edge(at) + lower_edge(at + 1)) / 2;
    }
    return sum / static_cast<double>(around(bin));
  }
  [[nodiscard]] std::uint64_t around(std::size_t bin) const {
    return std::uint64_t{counts_[bin - 1]} + counts_[bin] + counts_[bin + 1];
  }
  [[nodiscard]] bool stands_out(std::size_t bin) const {
    const std::uint64_t sum = around(bin);
    const bool enough =
        sum >= kLeast && static_cast<double>(sum) >= kLeastShare * static_cast<double>(pairs_);
    if (!enough || counts_[bin] < counts_[bin - 1] || counts_[bin] < counts_[bin + 1]) return false;
    std::uint64_t beside = 0;
    for (std::size_t away = kShoulder; away <= kReach; ++away) {
      beside += std::uint64_t{counts_[bin - away]} + counts_[bin + away];
    }
    // The eight bins beside, made as wide as the three of the peak.
    return static_cast<double>(sum) >=
           kProminence * static_cast<double>(beside) * 3 / (2 * (kReach - kShoulder + 1));
  }

  std::vector<std::uint32_t> counts_;  // empty until the first pair
  std::uint64_t pairs_ = 0;
};

}  // namespace slowpath::flow
