// SPDX-License-Identifier: Apache-2.0
// Counts the datagrams of one run as they arrive: lost, copied, overtaken, late. Memory is bounded
// by kMost datagrams.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace slowpath::probe {

/// Points of TallyResult::course.
inline constexpr std::size_t kCourse = 48;

/// What one run's arrivals come to, given how many were sent.
struct TallyResult {
  std::uint64_t received = 0, duplicates = 0, reordered = 0;
  std::uint64_t loss_runs = 0, longest_loss_run = 0;
  double jitter_s = 0;        // RFC 3550 section 6.4.1, at the end of the run
  double delay_growth_s = 0;  // one-way delay: median of the last quarter less the least of all
  double seconds = 0;         // first arrival to last
  std::uint64_t bytes = 0;    // IP bytes of distinct ones
  std::optional<std::uint64_t> first_lost;  // sequence; nothing where none was
  double late_bps = 0;                      // IP bits over the second half of the arrivals
  /// Delay over time: seconds since the first that came was sent, and one-way delay above the
  /// least; at most kCourse points, evenly spread over the arrivals.
  std::vector<std::pair<double, double>> course;
  std::map<std::uint32_t, std::uint64_t> by_size;  // distinct ones, by IP length
};

class DatagramTally {
 public:
  static constexpr std::uint32_t kMost = 1U << 20;
  static constexpr std::size_t kMostSizes = 64;

  /// `sequence` from 0; `sent_ns` of the sender's clock, which need not agree with ours.
  void note(std::uint32_t sequence, std::int64_t sent_ns, std::int64_t arrived_ns,
            std::uint32_t ip_bytes);

  /// `sent`: what the sender says; what is beyond kMost was not looked at.
  [[nodiscard]] TallyResult result(std::uint64_t sent) const;

 private:
  std::vector<bool> seen_;
  struct Arrival {
    std::int64_t sent_ns = 0, transit_ns = 0;
    std::uint64_t bytes = 0;  // of all so far
  };
  void tell_course(TallyResult& result) const;
  std::vector<Arrival> arrivals_kept_;  // in order of arrival, thinned
  std::uint64_t stride_ = 1, arrivals_ = 0;
  std::int64_t first_ns_ = 0, last_ns_ = 0, last_transit_ns_ = 0;
  std::uint32_t highest_ = 0;
  TallyResult result_;
};

}  // namespace slowpath::probe
