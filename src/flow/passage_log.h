// SPDX-License-Identifier: Apache-2.0
// Keeps what passed and what was lost by the time of its sending, in cells whose length doubles when there are too
// many. Nothing is kept before a first loss: most connections never need it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "facts/passage.h"

namespace slowpath::flow {

class PassageLog {
 public:
  /// A copy sent at `sent` did not arrive. `acked_bytes` had been acknowledged when that became known.
  void lost(Time sent, std::int64_t bytes, std::uint64_t acked_bytes);
  /// A copy sent at `sent` arrived.
  void passed(Time sent, std::int64_t bytes);
  /// The copy had been called lost, and it arrived.
  void arrived_after_all(Time sent, std::int64_t bytes);
  /// What was kept; nothing if there were few losses.
  [[nodiscard]] PassageFacts take(std::uint64_t losses);
  [[nodiscard]] std::size_t memory_bytes() const {
    return facts_.cells.capacity() * sizeof(PassageCell);
  }

 private:
  PassageCell* cell(Time sent);
  void widen();

  PassageFacts facts_;
  Time origin_{};
  Duration width_ = std::chrono::microseconds(100);  // a hundred in the round trip of 10 ms
  bool started_ = false;
};

}  // namespace slowpath::flow
