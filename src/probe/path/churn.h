// SPDX-License-Identifier: Apache-2.0
// Many short connections at an even rate: what runs out first, ports here, a queue there, a table
// between. Any port that accepts will do.
#pragma once

#include <functional>

#include "facts/path_test.h"

namespace slowpath::probe {

struct ChurnOptions {
  std::uint16_t port = 0;
  double connections_per_second = 200;  // bounded by kMostRate
  Duration how_long{std::chrono::seconds(5)};
  Duration wait{std::chrono::seconds(4)};  // for one connection
  std::function<bool()> stopped;
  std::function<void(std::uint64_t attempts)> progress;
  static constexpr double kMostRate = 20'000;
};

ChurnTest test_churn(const IpAddress& target, const ChurnOptions& options);

}  // namespace slowpath::probe
