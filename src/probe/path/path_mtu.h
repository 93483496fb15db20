// SPDX-License-Identifier: Apache-2.0
// The path MTU test as far as one host can make it alone: size sweeps by ICMP echo and UDP, the
// hops, fragments. What needs `slowpath serve` at the other end is added by peer_mtu.h.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "facts/path_test.h"

namespace slowpath::probe {

struct PathMtuOptions {
  bool udp = true;  // to a closed port, where echo finds an edge or gets no answer
  bool hops = true;
  bool fragments = true;
  Duration longest{std::chrono::seconds(25)};      // for all of it, about
  std::function<bool()> stopped;                   // asked between volleys
  std::function<void(std::string_view)> progress;  // what is being done, for a terminal
};

/// Fails only where no packet can be sent towards the host at all.
Result<PathMtuTest> test_path_mtu(const IpAddress& target, const PathMtuOptions& options);

}  // namespace slowpath::probe
