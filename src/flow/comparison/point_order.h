// SPDX-License-Identifier: Apache-2.0
// In which order packets pass the points, and how the points' clocks go.
#pragma once

#include <cstddef>
#include <vector>

#include "facts/comparison.h"
#include "flow/comparison/clock_fit.h"
#include "flow/comparison/pairing.h"

namespace slowpath::flow::comparison {

/// Packets that both points certainly recorded, of all connections: by the clock of `from`.
struct PairSamples {
  std::vector<ClockSample> to_server, to_client;
};
PairSamples samples_between(const std::vector<Joined>& joined, std::size_t from, std::size_t to);

struct PointOrder {
  std::vector<std::size_t> order;  // numbers of points, that nearest the clients first
  bool known = false;              // by times; else as given
};
/// A point nearer the server sees packets to it later and packets from it earlier: the sum of both
/// needs no clocks.
PointOrder order_points(const std::vector<Joined>& joined, std::size_t points);

}  // namespace slowpath::flow::comparison
