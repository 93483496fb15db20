// SPDX-License-Identifier: Apache-2.0
// Streams of an iperf3 test added up, for its text and its JSON.
#pragma once

#include <cstdint>
#include <vector>

#include "facts/iperf3.h"

namespace slowpath::report {

/// What all streams of one direction moved.
struct Iperf3Sum {
  double begin_s = 0, end_s = 0;
  std::uint64_t bytes = 0, retransmits = 0;
  bool knows_retransmits = false, omitted = false;
  Iperf3Datagrams datagrams;  // jitter: the mean of the streams
  std::size_t streams = 0;

  [[nodiscard]] double seconds() const { return end_s - begin_s; }
  [[nodiscard]] double bits_per_second() const {
    return seconds() > 0 ? static_cast<double>(bytes) * 8 / seconds() : 0;
  }
  [[nodiscard]] double lost_percent() const {
    return datagrams.packets > 0
               ? 100 * static_cast<double>(datagrams.lost) / static_cast<double>(datagrams.packets)
               : 0;
  }
};

/// Whether the test has streams of this direction, as seen from this end.
bool has_direction(const Iperf3Facts& facts, bool sends);

/// Of one interval of one stream.
Iperf3Sum sum_of(const Iperf3Interval& interval);

/// Of the interval number `index`.
Iperf3Sum interval_sum(const Iperf3Facts& facts, std::size_t index, bool sends);
std::size_t interval_count(const Iperf3Facts& facts);

/// Of one stream, or of all streams of a direction, as its sender (`at_sender`) or its receiver
/// counted.
Iperf3Sum stream_total(const Iperf3Stream& stream, bool at_sender);
Iperf3Sum total(const Iperf3Facts& facts, bool sends, bool at_sender);

}  // namespace slowpath::report
