// SPDX-License-Identifier: Apache-2.0
// The part of the page that a comparison fills.
#include "report/compare_parts.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/format.h"
#include "facts/catalogue.h"

namespace slowpath::report {
namespace {

std::string_view name_of(const ComparisonFacts& facts, std::size_t point) {
  return facts.points[point].name;
}

std::uint64_t weight(const ComparedConnection& connection) {
  std::uint64_t weight = 0;
  for (const BetweenFacts& between : connection.between) {
    weight += 1'000'000 * between.contents.changed_bytes + 1000 * between.losses.bytes +
              between.matched_bytes + 1000 * between.bare_lost;
  }
  return weight;
}

void write_stretch(Page& page, const ComparisonFacts& facts, const BetweenFacts& between) {
  page.heading("  " + stretch_of(facts, between), summary_of(facts, between));
  for (const Remark& remark : remarks_of(facts, between))
    page.entry(remark.label, remark.text, remark.is_bad ? Tone::doubtful : Tone::plain);
}

void write_connection(Page& page, const ComparisonFacts& facts,
                      const ComparedConnection& connection) {
  const PassedPoint& first = connection.points.front();
  std::string elsewhere;
  for (const PassedPoint& point : connection.points) {
    if (point.client == first.client && point.server == first.server) continue;
    elsewhere +=
        fmt::format("{}{} ↔ {} at {}", elsewhere.empty() ? "" : ", ", to_string(point.client),
                    to_string(point.server), name_of(facts, point.point));
  }
  page.heading(fmt::format("{} ↔ {}", to_string(first.client), to_string(first.server)), elsewhere);
  // Along the way of most data; the other direction's stretches behind it, if there is anything to
  // tell.
  std::array<std::uint64_t, 2> sent{};
  for (const BetweenFacts& between : connection.between)
    sent[static_cast<std::size_t>(between.direction)] += between.upstream_bytes;
  const Direction main = sent[1] > sent[0] ? Direction::to_client : Direction::to_server;
  std::vector<const BetweenFacts*> order;
  for (const BetweenFacts& between : connection.between) {
    if (between.direction == main) order.push_back(&between);
  }
  if (main == Direction::to_client) std::ranges::reverse(order);
  for (const BetweenFacts& between : connection.between) {
    if (between.direction != main && !remarks_of(facts, between).empty()) order.push_back(&between);
  }
  for (const BetweenFacts* between : order) write_stretch(page, facts, *between);
}

void write_points(Page& page, const ComparisonFacts& facts) {
  std::string order;
  for (const ComparedPoint& point : facts.points)
    order += (order.empty() ? "" : " → ") + point.name;
  page.entry("points",
             order + (facts.order_known ? "   (the way to the server, by the times of packets)"
                                        : "   (as given: their times do not tell the order)"));
  std::string_view label = "clocks";
  for (const ClockRelation& relation : facts.clocks) {
    page.entry(label, clock_sentence(facts, relation));
    label = "";
  }
  for (const ComparedPoint& point : facts.points) {
    if (point.forgotten_packets == 0) continue;
    page.entry("memory",
               fmt::format("{} packets at {} were left out: --memory allows no more",
                           format_count(point.forgotten_packets), point.name),
               Tone::doubtful);
  }
}

void write_unpaired(Page& page, const ComparisonFacts& facts) {
  if (facts.unpaired_total == 0) return;
  const UnpairedConnection& first = facts.unpaired.front();
  page.entry(
      "alone",
      fmt::format("{} connection{} passed one point and no other, though all were capturing; the "
                  "first: {} ↔ {} "
                  "at {}{} (frame {})",
                  format_count(facts.unpaired_total), facts.unpaired_total == 1 ? "" : "s",
                  to_string(first.client), to_string(first.server), name_of(facts, first.point),
                  first.only_syns ? ", nothing but SYNs" : "", first.first_frame.number()));
}

}  // namespace

std::vector<std::size_t> compared_worst_first(const ComparisonFacts& facts) {
  std::vector<std::size_t> order(facts.connections.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return weight(facts.connections[a]) > weight(facts.connections[b]);
  });
  return order;
}

void write_comparison(Page& page, const Answer& answer, std::size_t most_connections) {
  const ComparisonFacts& facts = answer.facts.comparisons;
  write_points(page, facts);
  const std::vector<std::size_t> order = compared_worst_first(facts);
  for (std::size_t i = 0; i < std::min(order.size(), most_connections); ++i) {
    page.gap();
    write_connection(page, facts, facts.connections[order[i]]);
  }
  if (facts.connections_shared > most_connections) {
    page.entry("", fmt::format("{} more connections passed several points; --all shows them",
                               format_count(facts.connections_shared - most_connections)));
  }
  write_unpaired(page, facts);
}

}  // namespace slowpath::report
