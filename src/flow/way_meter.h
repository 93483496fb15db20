// SPDX-License-Identifier: Apache-2.0
// Parts a leg's round trips into the way there and the way back by the far end's timestamps. Their
// tick is no part of TCP (RFC 7323 section 5.4 leaves it between 1 ms and 1 s; Linux can use 1 µs),
// so it is sought among those that systems use: far-end time between two answers cannot be more
// than lies between the first question and the last answer, nor less than between the first answer
// and the last question. One tick has to fit all answers; else nothing is said.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "facts/ways.h"

namespace slowpath::flow {

class WayMeter {
 public:
  /// What passed the tap at `asked` was answered by a packet that left the far end at its clock's
  /// `stamp` and passed the tap at `answered`. Of several with one answer the last counts.
  void add(Time asked, std::uint32_t stamp, Time answered);

  /// Growth on both ways; `there` and `back` as seen from the tap. Without samples where no tick,
  /// or more than one, fits, and where a clock moved time from one way to the other.
  struct Ways {
    std::uint64_t samples = 0;
    double tick_s = 0, span_s = 0;
    WayGrowth there, back;
  };
  [[nodiscard]] Ways ways() const;

  [[nodiscard]] std::size_t memory_bytes() const { return kept_.capacity() * sizeof(Sample); }

 private:
  struct Sample {
    Time asked{};
    Time answered{};
    std::uint32_t stamp = 0;
  };
  static constexpr std::size_t kKept = 256;  // every n-th; n doubles when it is full

  [[nodiscard]] double find_tick_s() const;

  std::vector<Sample> kept_;
  std::uint64_t seen_ = 0, stride_ = 1;  // a power of two
};

}  // namespace slowpath::flow
