// SPDX-License-Identifier: Apache-2.0
// What can be read off a run that is over. Apart from run.cc, so that whoever looks at results
// needs no plane and no hosts.
#include <algorithm>
#include <string_view>

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

bool RunResult::bytes_right() const {
  return std::ranges::all_of(transfers, [](const TransferResult& transfer) {
    return std::ranges::all_of(transfer.streams, &StreamResult::bytes_right);
  });
}

}  // namespace slowpath::lab
