// SPDX-License-Identifier: Apache-2.0
#include "flow/comparison/comparison.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "flow/comparison/clock_fit.h"
#include "flow/comparison/pairing.h"
#include "flow/comparison/point_log.h"
#include "flow/comparison/point_order.h"
#include "flow/comparison/reading.h"
#include "flow/comparison/stream_match.h"

namespace slowpath::flow {
namespace comparison {
namespace {

/// Stamps are taken a little before or after the packet passes, more so on a busy host.
constexpr double kStampNoise = 200e-6;

/// What the other clock shows less what the clock of `at` shows: that of relation.from, or of
/// relation.to.
double difference_at(const ClockRelation& relation, bool is_from, Time at) {
  if (is_from) return clock_difference_s(relation, at);
  return -clock_difference_s(relation, at - from_seconds(relation.offset_s));
}

/// Compares the joined connections of all points.
class Comparer {
 public:
  Comparer(const std::deque<PointLog>& points, const ComparisonOptions& options)
      : points_(points),
        options_(options),
        joined_(join_connections(points)),
        order_(order_points(joined_, points.size())) {
    place_.resize(points.size());
    for (std::size_t i = 0; i < order_.order.size(); ++i) place_[order_.order[i]] = i;
  }

  ComparisonFacts run() && {
    facts_.order_known = order_.known;
    for (const std::size_t number : order_.order) facts_.points.push_back(points_[number].facts());
    for (const Joined& connection : joined_) {
      const auto passed =
          std::ranges::count_if(connection.logs, [](const auto* log) { return log != nullptr; });
      if (passed < 2) continue;
      if (++facts_.connections_shared <= ComparisonFacts::kMostConnections) compare(connection);
    }
    if (facts_.connections_shared > 0) note_unpaired();
    return std::move(facts_);
  }

 private:
  void compare(const Joined& connection) {
    ComparedConnection compared;
    compared.paired_by = connection.paired_by;
    for (std::size_t place = 0; place < order_.order.size(); ++place) {
      const ConnectionLog* const log = connection.logs[order_.order[place]];
      if (log == nullptr) continue;
      compared.points.push_back(
          {place, log->client, log->server, log->first_frame, log->packets(), std::nullopt});
    }
    for (std::size_t i = 0; i + 1 < compared.points.size(); ++i) {
      const std::size_t near_client = compared.points[i].point;
      const std::size_t near_server = compared.points[i + 1].point;
      compared.between.push_back(
          between(connection, Direction::to_server, near_client, near_server));
      compared.between.push_back(
          between(connection, Direction::to_client, near_server, near_client));
    }
    facts_.connections.push_back(std::move(compared));
  }

  [[nodiscard]] const ConnectionLog& log_at(const Joined& connection, std::size_t place) const {
    return *connection.logs[order_.order[place]];
  }

  BetweenFacts between(const Joined& connection, Direction direction, std::size_t upstream,
                       std::size_t downstream) {
    BetweenFacts facts;
    facts.upstream = upstream;
    facts.downstream = downstream;
    facts.direction = direction;
    facts.clock = clock_between(std::min(upstream, downstream), std::max(upstream, downstream));
    const ConnectionLog& up = log_at(connection, upstream);
    const ConnectionLog& down = log_at(connection, downstream);
    facts.addresses_rewritten = up.client != down.client || up.server != down.server;
    const Direction replies = opposite(direction);
    const auto shift = sequence_shift(up[direction], down[direction]);
    const auto ack_shift = sequence_shift(up[replies], down[replies]);
    const WayPair ways =
        pair_ways(up[direction], down[direction], shift.value_or(0), ack_shift.value_or(0));
    const ClockRelation& relation = facts_.clocks[facts.clock];
    const ClockDifference clock = [&relation, is_from = upstream == relation.from](Time at) {
      return difference_at(relation, is_from, at);
    };
    const double tolerance_s = relation.misfit_s + kStampNoise;
    const StreamMatch match = match_streams(ways, clock, tolerance_s);
    const BareMatch bare = match_bare(ways, clock, tolerance_s);
    const Reading reading{
        ways,  up[replies], down[replies], facts_.points[upstream], facts_.points[downstream],
        clock, match,       bare};
    read_delays(reading, facts);
    read_losses(reading, facts);
    read_cuts(reading, facts);
    read_rewrites(reading, facts);
    read_contents(reading, options_.bytes_at, facts);
    read_icmp(up, down, facts_.points[upstream], facts_.points[downstream], clock, ways, facts);
    return facts;
  }

  /// The position in facts_.clocks of the relation of two places, `a` nearer the client.
  std::size_t clock_between(std::size_t a, std::size_t b) {
    const auto [at, is_new] = clocks_.try_emplace({a, b}, facts_.clocks.size());
    if (is_new) {
      const PairSamples samples = samples_between(joined_, order_.order[a], order_.order[b]);
      ClockRelation relation = fit_clock(samples.to_server, samples.to_client);
      relation.from = a;
      relation.to = b;
      relation.to_server = samples.to_server.size();
      relation.to_client = samples.to_client.size();
      facts_.clocks.push_back(relation);
    }
    return at->second;
  }

  void note_unpaired() {
    for (const Joined& connection : joined_) {
      const auto passed =
          std::ranges::count_if(connection.logs, [](const auto* log) { return log != nullptr; });
      if (passed != 1) continue;
      for (std::size_t place = 0; place < order_.order.size(); ++place) {
        const ConnectionLog* const log = connection.logs[order_.order[place]];
        if (log != nullptr && others_were_running(place, *log)) note_unpaired(place, *log);
      }
    }
  }

  /// Whether another point that shares traffic with this one captured while the connection passed.
  [[nodiscard]] bool others_were_running(std::size_t place, const ConnectionLog& log) const {
    return std::ranges::any_of(facts_.clocks, [&](const ClockRelation& relation) {
      const bool is_from = relation.from == place;
      if (!is_from && relation.to != place) return false;
      const ComparedPoint& other = facts_.points[is_from ? relation.to : relation.from];
      const Duration difference = from_seconds(difference_at(relation, is_from, log.first));
      return log.last + difference >= other.first && log.first + difference <= other.last;
    });
  }

  void note_unpaired(std::size_t place, const ConnectionLog& log) {
    constexpr std::size_t kKept = 64;
    ++facts_.unpaired_total;
    if (facts_.unpaired.size() >= kKept) return;
    const WayLog& sent = log[Direction::to_server];
    const bool only_syns =
        sent.data.empty() && log[Direction::to_client].packets() == 0 &&
        std::ranges::all_of(sent.bare, [](const Copy& copy) { return copy.is_syn(); });
    facts_.unpaired.push_back(
        {place, log.client, log.server, log.first_frame, log.packets(), only_syns, std::nullopt});
  }

  const std::deque<PointLog>& points_;
  const ComparisonOptions& options_;
  std::vector<Joined> joined_;
  PointOrder order_;
  std::vector<std::size_t> place_;  // of a point's number
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> clocks_;
  ComparisonFacts facts_;
};

}  // namespace
}  // namespace comparison

struct Comparison::State {
  ComparisonOptions options;
  std::size_t most_points = 0;
  std::deque<comparison::PointLog> points;
};

Comparison::Comparison(ComparisonOptions options, std::size_t points)
    : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  state_->most_points = points;
}
Comparison::~Comparison() = default;

std::size_t Comparison::point_of(const std::string& name) {
  std::deque<comparison::PointLog>& points = state_->points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].facts().name == name) return i;
  }
  SLOWPATH_ASSERT(points.size() < state_->most_points);
  const std::uint64_t share = state_->options.memory_bytes / state_->most_points;
  points.emplace_back(name, state_->options.verify_checksums, share);
  return points.size() - 1;
}

void Comparison::add_input(std::size_t point, std::uint16_t input) {
  state_->points[point].add_input(input);
}

void Comparison::add(std::size_t point, const wire::Frame& frame, const wire::Packet& packet) {
  state_->points[point].add(frame, packet);
}

ComparisonFacts Comparison::finish() {
  return comparison::Comparer(state_->points, state_->options).run();
}

}  // namespace slowpath::flow
