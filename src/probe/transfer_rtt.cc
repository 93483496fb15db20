// SPDX-License-Identifier: Apache-2.0
#include "probe/transfer_rtt.h"

#include <algorithm>
#include <vector>

#include "probe/path/round_trips.h"

namespace slowpath::probe {

TestRtt rtt_of(const TransferOutcome& outcome) {
  std::vector<double> all;
  for (const StreamOutcome& each : outcome.streams)
    all.insert(all.end(), each.rtts_s.begin(), each.rtts_s.end());
  if (all.empty()) return {};
  std::ranges::sort(all);
  return {.samples = all.size(),
          .min_s = all.front(),
          .median_s = quantile(all, 0.5),
          .p95_s = quantile(all, 0.95),
          .max_s = all.back()};
}

}  // namespace slowpath::probe
