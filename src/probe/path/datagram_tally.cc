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
  if (arrivals_++ % stride_ == 0) transits_ns_.push_back(transit_ns);
  if (transits_ns_.size() >= kMostTransits) {  // Keep every second one.
    for (std::size_t i = 0; i < transits_ns_.size() / 2; ++i) transits_ns_[i] = transits_ns_[2 * i];
    transits_ns_.resize(transits_ns_.size() / 2);
    stride_ *= 2;
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
    result.longest_loss_run = std::max(result.longest_loss_run, run);
  }
  if (!transits_ns_.empty()) {
    const std::int64_t least = *std::ranges::min_element(transits_ns_);
    std::vector<std::int64_t> last(
        transits_ns_.end() - static_cast<std::ptrdiff_t>((transits_ns_.size() + 3) / 4),
        transits_ns_.end());
    std::ranges::nth_element(last, last.begin() + static_cast<std::ptrdiff_t>(last.size() / 2));
    result.delay_growth_s = static_cast<double>(last[last.size() / 2] - least) * 1e-9;
  }
  return result;
}

}  // namespace slowpath::probe
