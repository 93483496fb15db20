// SPDX-License-Identifier: Apache-2.0
// Names of levels, and kinds found by name.
#include "lab/stage.h"

#include <algorithm>

#include "base/assert.h"

namespace slowpath::lab {

std::string_view to_string(Level level) {
  switch (level) {
    case Level::nic_tx:
      return "sending NIC";
    case Level::segmentation:
      return "segmentation";
    case Level::middlebox:
      return "middlebox";
    case Level::path:
      return "path";
    case Level::nic_rx:
      return "receiving NIC";
  }
  SLOWPATH_ASSERT(false);
}

const StageKind* find_stage_kind(std::string_view name) {
  const auto kinds = all_stage_kinds();
  const auto* found =
      std::ranges::find(kinds.data(), kinds.data() + kinds.size(), name, &StageKind::name);
  return found == kinds.data() + kinds.size() ? nullptr : *found;
}

}  // namespace slowpath::lab
