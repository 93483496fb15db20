// SPDX-License-Identifier: Apache-2.0
// Delay and loss with a far end that counts: round trips idle and under load, datagrams at shares
// of the rate that TCP reaches, and loss by length.
#pragma once

#include <functional>
#include <string_view>

#include "facts/path_test.h"
#include "probe/path/path_peer.h"

namespace slowpath::probe {

struct PeerLatencyOptions {
  Duration load{std::chrono::seconds(4)};  // each way
  Duration run{std::chrono::seconds(1)};   // of datagrams
  std::uint32_t largest_ip_bytes = 1400;   // what passes, or less
  std::function<bool()> stopped;
  std::function<void(std::string_view)> progress;
};

void test_peer_latency(PathPeer& peer, const PeerLatencyOptions& options, LatencyTest& test);

}  // namespace slowpath::probe
