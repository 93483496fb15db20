// SPDX-License-Identifier: Apache-2.0
// What a direction carried over time, in a bounded number of bins. Most bins of a connection that
// speaks now and then are empty: only those in which something happened take memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "base/time.h"

namespace slowpath {

struct TimelineBin {
  std::uint64_t acked_bytes = 0;  // newly acknowledged
  std::uint64_t sent_bytes = 0;   // first copies and resends
  std::uint64_t flight_max_bytes = 0;
  std::uint64_t window_min_bytes = 0;  // 0 = none advertised in this bin, or zero
  float rtt_min_s = 0, rtt_max_s = 0;  // 0 = no sample
  std::uint32_t losses = 0;
};

/// Bins by their number. What was never written to is an empty bin, and is not kept.
class TimelineBins {
 public:
  /// Passes all bins in order, empty ones too.
  class Iterator {
   public:
    using value_type = TimelineBin;
    using difference_type = std::ptrdiff_t;
    using reference = const TimelineBin&;
    using pointer = const TimelineBin*;
    using iterator_category = std::forward_iterator_tag;

    Iterator() = default;
    Iterator(const TimelineBins& bins, std::size_t number) : bins_(&bins), number_(number) {}
    reference operator*() const { return is_kept() ? bins_->kept_[next_] : kEmpty; }
    pointer operator->() const { return &**this; }
    Iterator& operator++() {
      next_ += is_kept();
      ++number_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.number_ == b.number_; }

   private:
    [[nodiscard]] bool is_kept() const {
      return next_ < bins_->numbers_.size() && bins_->numbers_[next_] == number_;
    }
    const TimelineBins* bins_ = nullptr;
    std::size_t number_ = 0;
    std::size_t next_ = 0;  // the first kept bin that is not before it
  };

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Iterator begin() const { return {*this, 0}; }
  [[nodiscard]] Iterator end() const { return {*this, size_}; }
  [[nodiscard]] const TimelineBin& operator[](std::size_t number) const {
    const std::size_t at = first_kept_from(number);
    return at < numbers_.size() && numbers_[at] == number ? kept_[at] : kEmpty;
  }

  /// Those that are kept, in order, and their numbers.
  [[nodiscard]] std::span<const TimelineBin> kept() const { return kept_; }
  [[nodiscard]] std::span<TimelineBin> kept() { return kept_; }
  [[nodiscard]] std::span<const std::uint16_t> numbers() const { return numbers_; }
  /// The position in kept() of the first one whose number is not below this.
  [[nodiscard]] std::size_t first_kept_from(std::size_t number) const {
    if (numbers_.size() == size_) return std::min(number, size_);  // nothing is empty
    return static_cast<std::size_t>(std::ranges::lower_bound(numbers_, number) - numbers_.begin());
  }

  /// To write to; kept from now on. The list reaches it at least. Numbers are below 65 536.
  TimelineBin& operator[](std::size_t number) { return kept_[keep(number)]; }
  /// The position in kept() of a bin to write to. Valid until another one is kept.
  std::size_t keep(std::size_t number) {
    const bool behind_all = numbers_.empty() || numbers_.back() < number;
    const std::size_t at = behind_all ? numbers_.size() : first_kept_from(number);
    if (!behind_all && numbers_[at] == number) return at;
    size_ = std::max(size_, number + 1);
    const auto offset = static_cast<std::ptrdiff_t>(at);
    numbers_.insert(numbers_.begin() + offset, static_cast<std::uint16_t>(number));
    kept_.insert(kept_.begin() + offset, TimelineBin{});
    return at;
  }
  void push_back(const TimelineBin& bin) { (*this)[size_] = bin; }
  void assign(std::size_t count, const TimelineBin& bin) {
    *this = {};
    for (std::size_t i = 0; i < count; ++i) push_back(bin);
  }
  /// Further ones are empty.
  void resize(std::size_t count) {
    const std::size_t left = first_kept_from(count);
    numbers_.resize(left);
    kept_.resize(left);
    size_ = count;
  }
  /// Gives back what was held for more.
  void shrink_to_fit() {
    kept_.shrink_to_fit();
    numbers_.shrink_to_fit();
  }
  [[nodiscard]] std::size_t memory_bytes() const {
    return kept_.capacity() * sizeof(TimelineBin) + numbers_.capacity() * sizeof numbers_[0];
  }

 private:
  static constexpr TimelineBin kEmpty{};

  std::vector<TimelineBin> kept_;
  std::vector<std::uint16_t> numbers_;  // of these, ascending
  std::size_t size_ = 0;
};

/// Bounded history: `bins` halves its resolution when it is full. Bin i begins at start + i *
/// bin_s.
struct Timeline {
  static constexpr std::size_t kMaxBins = 512;
  Time start{};
  double bin_s = 0;
  TimelineBins bins;
};

}  // namespace slowpath
