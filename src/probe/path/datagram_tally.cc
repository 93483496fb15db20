// SPDX-License-Identifier: Apache-2.0
#include "probe/path/datagram_tally.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace slowpath::probe {
namespace {

constexpr std::size_t kMostTransits = 1U << 14;

}  // namespace

void DatagramTally::note(std::uint32_t sequence, std::int64_t sent_ns, std::int64_t arrived_ns,
                         std::uint32_t ip_bytes) {
  if (sequence >= kMost) return;
  if (sequence >= seen_.size()) seen_.resize(sequence + 1);
  if (seen_[sequence]) {
    ++result_.duplicates;
    return;
  }
  seen_[sequence] = true;
  const std::int64_t transit_ns = arrived_ns - sent_ns;
  if (result_.received++ == 0) {
    first_ns_ = arrived_ns;
  } else {
    if (sequence < highest_) ++result_.reordered;
    const auto change = static_cast<double>(std::llabs(transit_ns - last_transit_ns_)) * 1e-9;
    result_.jitter_s += (change - result_.jitter_s) / 16;
  }
  highest_ = std::max(highest_, sequence);
  last_transit_ns_ = transit_ns;
  last_ns_ = arrived_ns;
  result_.bytes += ip_bytes;
  if (result_.by_size.size() < kMostSizes || result_.by_size.contains(ip_bytes)) {
    ++result_.by_size[ip_bytes];
  }
  if (arrivals_++ % stride_ == 0) arrivals_kept_.push_back({sent_ns, transit_ns, result_.bytes});
  if (arrivals_kept_.size() >= kMostTransits) {  // Keep every second one.
    for (std::size_t i = 0; i < arrivals_kept_.size() / 2; ++i)
      arrivals_kept_[i] = arrivals_kept_[2 * i];
    arrivals_kept_.resize(arrivals_kept_.size() / 2);
    stride_ *= 2;
  }
}

void DatagramTally::tell_course(TallyResult& result) const {
  const std::size_t count = arrivals_kept_.size();
  const std::int64_t least =
      std::ranges::min_element(arrivals_kept_, {}, &Arrival::transit_ns)->transit_ns;
  std::vector<std::int64_t> last;
  for (std::size_t i = count - (count + 3) / 4; i < count; ++i)
    last.push_back(arrivals_kept_[i].transit_ns);
  std::ranges::nth_element(last, last.begin() + static_cast<std::ptrdiff_t>(last.size() / 2));
  result.delay_growth_s = static_cast<double>(last[last.size() / 2] - least) * 1e-9;
  const Arrival& half = arrivals_kept_[count / 2];
  const Arrival& end = arrivals_kept_.back();
  const double late_s =
      static_cast<double>(end.sent_ns + end.transit_ns - half.sent_ns - half.transit_ns) * 1e-9;
  if (late_s > 0) result.late_bps = static_cast<double>(end.bytes - half.bytes) * 8 / late_s;
  const std::size_t points = std::min(count, kCourse);
  for (std::size_t i = 0; i < points; ++i) {
    const Arrival& at = arrivals_kept_[i * count / points];
    result.course.emplace_back(
        static_cast<double>(at.sent_ns - arrivals_kept_.front().sent_ns) * 1e-9,
        static_cast<double>(at.transit_ns - least) * 1e-9);
  }
}

TallyResult DatagramTally::result(std::uint64_t sent) const {
  TallyResult result = result_;
  result.seconds = static_cast<double>(last_ns_ - first_ns_) * 1e-9;
  std::uint64_t run = 0;
  const std::uint64_t looked_at = std::min<std::uint64_t>(sent, kMost);
  for (std::uint64_t i = 0; i < looked_at; ++i) {
    if (i < seen_.size() && seen_[i]) {
      run = 0;
      continue;
    }
    if (++run == 1) ++result.loss_runs;
    if (!result.first_lost) result.first_lost = i;
    result.longest_loss_run = std::max(result.longest_loss_run, run);
  }
  if (!arrivals_kept_.empty()) tell_course(result);
  return result;
}

}  // namespace slowpath::probe
