// SPDX-License-Identifier: Apache-2.0
#include "report/iperf3_sums.h"

#include <algorithm>

namespace slowpath::report {
namespace {

void add(Iperf3Sum& sum, const Iperf3Sum& one) {
  if (sum.streams == 0) sum.begin_s = one.begin_s;
  sum.end_s = std::max(sum.end_s, one.end_s);
  sum.bytes += one.bytes;
  sum.retransmits += one.retransmits;
  sum.knows_retransmits = sum.knows_retransmits || one.knows_retransmits;
  sum.omitted = one.omitted;
  sum.datagrams.packets += one.datagrams.packets;
  sum.datagrams.lost += one.datagrams.lost;
  sum.datagrams.out_of_order += one.datagrams.out_of_order;
  const auto count = static_cast<double>(sum.streams);
  sum.datagrams.jitter_s = (sum.datagrams.jitter_s * count + one.datagrams.jitter_s) / (count + 1);
  ++sum.streams;
}

}  // namespace

bool has_direction(const Iperf3Facts& facts, bool sends) {
  return std::ranges::any_of(facts.streams,
                             [&](const Iperf3Stream& stream) { return stream.sends == sends; });
}

std::size_t interval_count(const Iperf3Facts& facts) {
  std::size_t count = 0;
  for (const Iperf3Stream& stream : facts.streams) count = std::max(count, stream.intervals.size());
  return count;
}

Iperf3Sum sum_of(const Iperf3Interval& interval) {
  return {.begin_s = interval.begin_s,
          .end_s = interval.end_s,
          .bytes = interval.bytes,
          .retransmits = interval.retransmits,
          .knows_retransmits = true,
          .datagrams = interval.datagrams,
          .streams = 1};
}

Iperf3Sum interval_sum(const Iperf3Facts& facts, std::size_t index, bool sends) {
  Iperf3Sum sum;
  for (const Iperf3Stream& stream : facts.streams) {
    if (stream.sends != sends || index >= stream.intervals.size()) continue;
    const Iperf3Interval& interval = stream.intervals[index];
    add(sum, {interval.begin_s, interval.end_s, interval.bytes, interval.retransmits,
              stream.knows_retransmits, interval.omitted, interval.datagrams, 1});
  }
  return sum;
}

Iperf3Sum stream_total(const Iperf3Stream& stream, bool at_sender) {
  // A total is counted from the end of what is omitted on.
  const bool is_ours = at_sender == stream.sends;
  const double seconds =
      is_ours || stream.remote_seconds <= 0 ? stream.seconds : stream.remote_seconds;
  return {0,
          seconds,
          at_sender ? stream.sent_bytes : stream.received_bytes,
          stream.retransmits,
          stream.knows_retransmits,
          false,
          at_sender ? stream.sent : stream.received,
          1};
}

Iperf3Sum total(const Iperf3Facts& facts, bool sends, bool at_sender) {
  Iperf3Sum sum;
  for (const Iperf3Stream& stream : facts.streams) {
    if (stream.sends == sends) add(sum, stream_total(stream, at_sender));
  }
  return sum;
}

}  // namespace slowpath::report
