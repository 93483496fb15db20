// SPDX-License-Identifier: Apache-2.0
// In which order packets pass the points, and how the points' clocks go.
#pragma once

#include <cstddef>
#include <optional>
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

/// How much nearer the server `to` is than `from`, in seconds there and back. No packet arrives
/// before it left: where one order alone allows that of all packets, it is so, and the shortest
/// ways tell how far, however long some of them waited. Where none does, a clock was set or drifts
/// far; then what most packets took decides. Nothing without packets of both ways.
std::optional<double> distance_s(const PairSamples& samples);

struct PointOrder {
  std::vector<std::size_t> order;  // numbers of points, that nearest the clients first
  bool known = false;              // by times; else as given
};
/// A point nearer the server sees packets to it later and packets from it earlier: the sum of both
/// needs no clocks.
PointOrder order_points(const std::vector<Joined>& joined, std::size_t points);

}  // namespace slowpath::flow::comparison
