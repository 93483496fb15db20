// SPDX-License-Identifier: Apache-2.0
// What can be read off a run that is over. Apart from run.cc, so that whoever looks at results
// needs no plane and no hosts.
#include <algorithm>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "lab/run.h"

namespace slowpath::lab {

std::string_view to_string(Variant variant) {
  switch (variant) {
    case Variant::broken:
      return "broken";
    case Variant::healthy:
      return "healthy";
    case Variant::fixed:
      return "fixed";
  }
  SLOWPATH_ASSERT(false);
}

double RunResult::main_goodput_bps() const {
  if (transfers.empty() || transfers.front().streams.empty()) return 0;
  return transfers.front().streams.front().goodput_bps;
}

double RunResult::main_rtt_seconds() const {
  if (transfers.empty() || transfers.front().streams.empty()) return 0;
  std::vector<std::uint32_t> rtts_us;
  for (const auto& sample : transfers.front().streams.front().samples) {
    if (sample.rtt_us > 0) rtts_us.push_back(sample.rtt_us);
  }
  if (rtts_us.empty()) return 0;
  const auto middle = rtts_us.begin() + static_cast<std::ptrdiff_t>(rtts_us.size() / 2);
  std::ranges::nth_element(rtts_us, middle);
  return *middle * 1e-6;
}

bool RunResult::bytes_right() const {
  return std::ranges::all_of(transfers, [](const TransferResult& transfer) {
    return std::ranges::all_of(transfer.streams, &StreamResult::bytes_right);
  });
}

}  // namespace slowpath::lab
