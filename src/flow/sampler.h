// SPDX-License-Identifier: Apache-2.0
// Quantiles of a long series in bounded memory: keeps every n-th sample and doubles n when it is
// full. Deterministic, so an answer does not depend on chance.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "flow/room.h"

namespace slowpath::flow {

class Sampler {
 public:
  static constexpr std::size_t kKept = 512;

  void add(double value) {
    smallest_ = seen_ == 0 ? value : std::min(smallest_, value);
    largest_ = seen_ == 0 ? value : std::max(largest_, value);
    if ((seen_++ & (stride_ - 1)) != 0) return;
    if (kept_.size() == kept_.capacity()) grow();
    kept_.push_back(static_cast<float>(value));
  }
  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  /// Of all samples, not only of those kept; 0 without any.
  [[nodiscard]] double smallest() const { return smallest_; }
  [[nodiscard]] double largest() const { return largest_; }
  [[nodiscard]] bool empty() const { return kept_.empty(); }
  [[nodiscard]] const std::vector<float>& kept() const { return kept_; }
  [[nodiscard]] std::size_t memory_bytes() const { return kept_.capacity() * sizeof(float); }

  /// The value below which the share q (0..1) of the samples lies; 0 without samples.
  [[nodiscard]] double quantile(double q) const {
    if (kept_.empty()) return 0;
    std::vector<float> values = kept_;
    const auto at = values.begin() + place_of(q, values.size());
    std::nth_element(values.begin(), at, values.end());
    return static_cast<double>(*at);
  }
  /// Several at once, of ascending shares.
  template <std::size_t kCount>
  [[nodiscard]] std::array<double, kCount> quantiles(
      const std::array<double, kCount>& shares) const {
    std::array<double, kCount> out{};
    if (kept_.empty()) return out;
    std::vector<float> values = kept_;
    auto from = values.begin();  // none before it is larger than any behind it
    for (std::size_t i = 0; i < kCount; ++i) {
      const auto at = values.begin() + place_of(shares[i], values.size());
      if (at >= from) {
        std::nth_element(from, at, values.end());
        from = at + 1;
      }
      out[i] = static_cast<double>(*at);
    }
    return out;
  }
  [[nodiscard]] std::vector<float> sorted() const {
    std::vector<float> values = kept_;
    std::sort(values.begin(), values.end());
    return values;
  }
  static double quantile_of(const std::vector<float>& sorted_values, double q) {
    if (sorted_values.empty()) return 0;
    return static_cast<double>(*(sorted_values.begin() + place_of(q, sorted_values.size())));
  }

 private:
  static std::ptrdiff_t place_of(double q, std::size_t count) {
    return static_cast<std::ptrdiff_t>(q * static_cast<double>(count - 1) + 0.5);
  }

  void grow() {
    if (kept_.size() == kKept) return thin();
    make_room(kept_, kKept);
  }

  void thin() {
    std::size_t out = 0;
    for (std::size_t in = 0; in < kept_.size(); in += 2) kept_[out++] = kept_[in];
    kept_.resize(out);
    stride_ *= 2;
  }

  std::vector<float> kept_;
  double smallest_ = 0, largest_ = 0;
  std::uint64_t seen_ = 0;
  std::uint64_t stride_ = 1;  // a power of two
};

}  // namespace slowpath::flow
