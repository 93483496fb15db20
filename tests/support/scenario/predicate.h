// SPDX-License-Identifier: Apache-2.0
// Which packets something happens to: one in so many, a share at random, those above a size, some
// by their number, or all within a time. Deterministic: the same text makes the same capture.
#pragma once

#include <cstdint>
#include <set>

#include "base/time.h"
#include "support/scenario/words.h"

namespace slowpath::test::scenario {

/// A packet, as far as a predicate may look at it.
struct Passing {
  std::uint64_t number = 0;  // 1-based, of its kind
  std::uint32_t ip_len = 0;
  Duration at{0};  // since the transfer, or the scenario, began
};

class Predicate {
 public:
  /// Reads `every N`, `random SHARE [seed N]`, `frames-above BYTES`, `number N[,N]...` or
  /// `from TIME to TIME`.
  static Predicate parse(Words& words);

  bool operator()(const Passing& packet);

 private:
  enum class Kind : std::uint8_t { every, random, frames_above, number, from };
  Kind kind_ = Kind::every;
  std::uint64_t every_ = 1;
  double share_ = 0;
  std::uint64_t state_ = 0;  // of the random generator
  std::uint32_t above_ = 0;
  std::set<std::uint64_t> numbers_;
  Duration from_{0}, to_{0};
};

}  // namespace slowpath::test::scenario
