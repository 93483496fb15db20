// SPDX-License-Identifier: Apache-2.0
// Runs the path tests that were asked for, with a far end where there is one and without it as far
// as one end can.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "facts/path_test.h"
#include "probe/session.h"

namespace slowpath::cli {

struct PathPlan {
  probe::Target target;  // the host, the port of `slowpath serve`, the IP version
  std::string secret;
  bool mtu = false, latency = false, middlebox = false, idle = false, churn = false;
  Duration idle_longest{std::chrono::seconds(120)};
  /// For connect times and churn; 0: that of `slowpath serve`, or one that answers.
  std::uint16_t tcp_port = 0;
  double churn_per_second = 200;
  Duration churn_time{std::chrono::seconds(5)};
};

struct PathProgress {
  std::function<void(std::string_view)> tell;  // what is being done
  std::function<bool()> stopped;
};

/// Fails where the name means no host or no packet can be sent there. That no `slowpath serve`
/// answers is no failure: PathTestFacts::with_peer and peer_missing.
Result<PathTestFacts> measure_path(const PathPlan& plan, const PathProgress& progress);

}  // namespace slowpath::cli
