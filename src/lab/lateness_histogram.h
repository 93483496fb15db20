// SPDX-License-Identifier: Apache-2.0
// How late due frames were let go, in bounded memory whatever their number.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "lab/plane.h"

namespace slowpath::lab {

/// Buckets of 1/16 of a power of two: quantiles are right to 6 %.
class LatenessHistogram {
 public:
  void add(Duration late) {
    const auto ns = late.count() > 0 ? static_cast<std::uint64_t>(late.count()) : 0;
    ++buckets_[bucket_of(ns)];
    ++frames_;
    if (late > worst_) worst_ = late;
  }

  [[nodiscard]] Lateness summary() const {
    return {frames_, quantile(frames_ / 2), quantile(frames_ - frames_ / 100), worst_};
  }

 private:
  static constexpr unsigned kSubBits = 4;
  static constexpr std::size_t kBuckets = (64 - kSubBits + 1) << kSubBits;

  static std::size_t bucket_of(std::uint64_t ns) {
    if (ns < (1U << kSubBits)) return ns;
    const auto shift = static_cast<unsigned>(std::bit_width(ns)) - kSubBits - 1;
    return ((shift + 1) << kSubBits) + ((ns >> shift) & ((1U << kSubBits) - 1));
  }
  /// The largest value of a bucket.
  static std::uint64_t top_of(std::size_t bucket) {
    if (bucket < (1U << kSubBits)) return bucket;
    const auto shift = static_cast<unsigned>(bucket >> kSubBits) - 1;
    const std::uint64_t first = (1U << kSubBits) | (bucket & ((1U << kSubBits) - 1));
    return (first << shift) + ((std::uint64_t{1} << shift) - 1);
  }
  /// The value that `rank` frames do not exceed.
  [[nodiscard]] Duration quantile(std::uint64_t rank) const {
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += buckets_[bucket];
      if (seen != 0 && seen >= rank) {
        const Duration top{static_cast<std::int64_t>(top_of(bucket))};
        return top < worst_ ? top : worst_;
      }
    }
    return worst_;
  }

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t frames_ = 0;
  Duration worst_{0};
};

}  // namespace slowpath::lab
