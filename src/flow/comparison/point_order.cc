// SPDX-License-Identifier: Apache-2.0
#include "flow/comparison/point_order.h"

#include <algorithm>
#include <numeric>

#include "flow/comparison/stream_match.h"

namespace slowpath::flow::comparison {
namespace {

double median_of(std::vector<ClockSample> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::ranges::nth_element(samples, middle, {}, &ClockSample::later_s);
  return middle->later_s;
}

void add_samples(const WayPair& ways, std::vector<ClockSample>& samples) {
  const CertainPairs pairs = certain_pairs(ways);
  const auto add = [&](const Copy& from, const Copy& to) {
    samples.push_back({from.time, to_seconds(to.time - from.time)});
  };
  for (const auto& [i, j] : pairs.data) {
    const Copy& from = ways.up->data[i];
    const Copy& to = ways.down->data[j];
    // What is cut or merged takes time for that as well.
    if (from.len == to.len) add(from, to);
  }
  for (const auto& [i, j] : pairs.bare) add(ways.up->bare[i], ways.down->bare[j]);
}

struct Extremes {
  double least_s = 0, most_s = 0;
};

Extremes extremes_of(const std::vector<ClockSample>& samples) {
  const auto [least, most] = std::ranges::minmax_element(samples, {}, &ClockSample::later_s);
  return {least->later_s, most->later_s};
}

}  // namespace

std::optional<double> distance_s(const PairSamples& samples) {
  if (samples.to_server.empty() || samples.to_client.empty()) return std::nullopt;
  const Extremes up = extremes_of(samples.to_server), down = extremes_of(samples.to_client);
  const double if_nearer_s = up.least_s - down.most_s;
  const double if_farther_s = down.least_s - up.most_s;
  if (if_nearer_s >= 0 && if_farther_s < 0) return if_nearer_s;
  if (if_farther_s >= 0 && if_nearer_s < 0) return -if_farther_s;
  return median_of(samples.to_server) - median_of(samples.to_client);
}

PairSamples samples_between(const std::vector<Joined>& joined, std::size_t from, std::size_t to) {
  PairSamples samples;
  for (const Joined& connection : joined) {
    const ConnectionLog* const a = connection.logs[from];
    const ConnectionLog* const b = connection.logs[to];
    if (a == nullptr || b == nullptr) continue;
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
      const auto shift = sequence_shift((*a)[direction], (*b)[direction]);
      const auto ack_shift = sequence_shift((*a)[opposite(direction)], (*b)[opposite(direction)]);
      if (!shift) continue;
      const WayPair ways =
          pair_ways((*a)[direction], (*b)[direction], *shift, ack_shift.value_or(0));
      add_samples(ways, direction == Direction::to_server ? samples.to_server : samples.to_client);
    }
  }
  return samples;
}

PointOrder order_points(const std::vector<Joined>& joined, std::size_t points) {
  PointOrder result;
  result.order.resize(points);
  std::iota(result.order.begin(), result.order.end(), std::size_t{0});
  // Each point's place is the sum of its distances from all others, so that one pair without common
  // traffic does no harm.
  std::vector<double> place(points);
  result.known = points > 1;
  for (std::size_t a = 0; a < points; ++a) {
    bool is_related = false;
    for (std::size_t b = 0; b < points; ++b) {
      if (a == b) continue;
      const std::optional<double> distance = a < b ? distance_s(samples_between(joined, a, b))
                                                   : distance_s(samples_between(joined, b, a));
      if (!distance) continue;
      is_related = true;
      place[a] += a < b ? -*distance : *distance;
    }
    result.known = result.known && is_related;
  }
  if (result.known) {
    std::ranges::stable_sort(result.order,
                             [&](std::size_t a, std::size_t b) { return place[a] < place[b]; });
  }
  return result;
}

}  // namespace slowpath::flow::comparison
