// SPDX-License-Identifier: Apache-2.0
// The routers on the way, by packets whose time to live ends at each of them, without privilege.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "facts/path_test.h"

namespace slowpath::probe {

struct WalkOptions {
  std::uint32_t most_hops = 30;
  std::uint32_t most_silent = 4;     // so many silent hops in a row end the walk
  std::uint32_t large_ip_bytes = 0;  // a second packet of this size to each hop; 0: none
  Duration wait{std::chrono::seconds(1)};
};

/// Walks in groups of hops, each tried twice. Silent hops cost one wait a group, never more. The
/// walk ends at the target, or where nobody answers any more.
Result<std::vector<PathHop>> walk_path(const IpAddress& target, const WalkOptions& options);

}  // namespace slowpath::probe
