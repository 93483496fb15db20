// SPDX-License-Identifier: Apache-2.0
// Keeps what passed and what was lost by the time of its sending, in cells whose length doubles
// when there are too many. Nothing is kept before a first loss: most connections never need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "facts/passage.h"

namespace slowpath::flow {

class PassageLog {
 public:
  /// A copy sent at `sent` did not arrive. `acked_bytes` had been acknowledged when that became
  /// known.
  void lost(Time sent, std::int64_t bytes, std::uint64_t acked_bytes);
  /// A copy sent at `sent` arrived.
  void passed(Time sent, std::int64_t bytes);
  /// The copy had been called lost, and it arrived.
  void arrived_after_all(Time sent, std::int64_t bytes);
  /// Bytes of [begin, end), first sent at `first_sent`, are sent again at `now`: their newest
  /// copies are lost.
  void resent(std::int64_t begin, std::int64_t end, Time first_sent, Time now,
              std::uint64_t acked_bytes);
  /// All of [begin, end) arrived, by the newest copy of each byte; with `by_first_copy` the first
  /// copy of all had too. What is older than `end` is not asked for again.
  void arrived(std::int64_t begin, std::int64_t end, Time first_sent, bool by_first_copy) {
    if (started_) count_arrived(begin, end, first_sent, by_first_copy);
  }
  /// What was kept; nothing if there were few losses.
  [[nodiscard]] PassageFacts take(std::uint64_t losses);
  [[nodiscard]] std::size_t memory_bytes() const {
    return facts_.cells.capacity() * sizeof(PassageCell) + again_.capacity() * sizeof(Again);
  }

 private:
  // A super-frame is repaired in pieces, each at its own time.
  struct Again {
    std::int64_t begin = 0, end = 0;
    Time sent{};
  };
  template <typename Visit>
  void each_part(std::int64_t begin, std::int64_t end, Time first_sent, const Visit& visit) const;
  void count_arrived(std::int64_t begin, std::int64_t end, Time first_sent, bool by_first_copy);
  PassageCell* cell(Time sent);
  void widen();

  PassageFacts facts_;
  std::vector<Again> again_;  // in order of begin, without overlap; acknowledged ones up to done_
  std::size_t done_ = 0;
  Time origin_{};
  Duration width_ = std::chrono::microseconds(100);  // a hundred in the round trip of 10 ms
  bool started_ = false;
};

}  // namespace slowpath::flow
