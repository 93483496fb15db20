// SPDX-License-Identifier: Apache-2.0
#include "detect/views.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <tuple>

#include <fmt/format.h>

#include "detect/comparison_evidence.h"
#include "detect/synthesis_steps.h"

namespace slowpath::detect {
namespace {

auto strength(const Finding& finding) {
  return std::tuple(finding.severity, finding.seconds_lost, finding.confidence);
}

/// Which view stands for each that is not its own speaker.
std::map<std::uint32_t, std::uint32_t> speakers(const Case& facts) {
  std::map<std::uint32_t, std::uint32_t> list;
  for (const ComparedConnection& compared : facts.comparisons.connections) {
    const std::uint32_t speaker = speaker_of(compared);
    for (const PassedPoint& point : compared.points) {
      if (point.connection && *point.connection != speaker) list[*point.connection] = speaker;
    }
  }
  return list;
}

bool is_same_claim(const Finding& a, const Finding& b) {
  return a.fault == b.fault && a.direction == b.direction && a.connections == b.connections;
}

/// Faults whose cost is lost packets, so that it is worth saying where.
bool is_about_loss(std::string_view fault) {
  static constexpr std::array<std::string_view, 13> kLossy{"random-loss",
                                                           "congestion-self",
                                                           "congestion-external",
                                                           "policer",
                                                           "tail-loss",
                                                           "rto-dominated",
                                                           "pmtud-blackhole",
                                                           "lso-not-segmented",
                                                           "icmp-fragneeded-coalesced",
                                                           "gro-forward-broken",
                                                           "lro-on-forwarder",
                                                           "jumbo-mismatch",
                                                           "path-outage"};
  return std::ranges::find(kLossy, fault) != kLossy.end();
}

void locate(const Case& facts, Finding& finding) {
  const ConnectionFacts* const connection = find_connection(facts, finding.connections.front());
  if (connection == nullptr || !finding.direction) return;
  const Transfer transfer{facts, *connection, *finding.direction};
  for (const Stretch& stretch : stretches_of(transfer)) {
    const BetweenFacts& between = *stretch.between;
    if (between.losses.packets == 0) continue;
    std::string what =
        fmt::format("{} of {} packets were lost", between.losses.packets, between.upstream_packets);
    if (between.losses.large_lost > 0) {
      what += fmt::format(
          ", {} of {} of several segments and {} of {} single ones", between.losses.large_lost,
          between.losses.large_lost + between.losses.large_passed, between.losses.single_lost,
          between.losses.single_lost + between.losses.single_passed);
    }
    if (between.icmp.refused_between > 0)
      what += fmt::format("; {} ICMP errors came from there", between.icmp.refused_between);
    const std::string command = finding.next_capture;
    add_proof(finding, stretch, what, between.losses.frames,
              {{"lost_packets", static_cast<double>(between.losses.packets)},
               {"lost_bytes", static_cast<double>(between.losses.bytes)},
               {"sent_packets", static_cast<double>(between.upstream_packets)}});
    finding.next_capture =
        command;  // where it happens is said, what does it may still have to be looked for
  }
}

/// Not one data packet was lost from the first point to the last, and some came damaged: how many.
/// 0 otherwise.
std::uint64_t damaged_not_lost(const Case& facts, const Finding& finding) {
  if (finding.connections.size() != 1 || !finding.direction) return 0;
  const ConnectionFacts* const connection = find_connection(facts, finding.connections.front());
  if (connection == nullptr) return 0;
  std::uint64_t damaged = 0;
  for (const Stretch& stretch : stretches_of({facts, *connection, *finding.direction})) {
    if (stretch.between->losses.packets > 0) return 0;
    damaged += stretch.between->contents.became_bad + stretch.between->contents.still_unfinished;
  }
  return damaged;
}

bool blames_the_path(std::string_view fault) {
  static constexpr std::array<std::string_view, 4> kOfPaths{"random-loss", "congestion-self",
                                                            "congestion-external", "policer"};
  return std::ranges::find(kOfPaths, fault) != kOfPaths.end();
}

bool damages(std::string_view fault) {
  static constexpr std::array<std::string_view, 3> kDamaging{
      "csum-bad-on-arrival", "tx-csum-offload-broken", "lso-wrong-csum-seed"};
  return std::ranges::find(kDamaging, fault) != kDamaging.end();
}

}  // namespace

const ComparedConnection* find_compared(const Case& facts, std::uint32_t id) {
  const auto found = facts.comparisons.by_connection.find(id);
  return found == facts.comparisons.by_connection.end()
             ? nullptr
             : &facts.comparisons.connections[found->second];
}

std::uint32_t speaker_of(const ComparedConnection& compared) {
  std::array<std::uint64_t, 2> sent{};
  for (const BetweenFacts& between : compared.between)
    sent[static_cast<std::size_t>(between.direction)] += between.upstream_bytes;
  const bool by_server = sent[static_cast<std::size_t>(Direction::to_client)] >
                         sent[static_cast<std::size_t>(Direction::to_server)];
  std::uint32_t speaker = UINT32_MAX;
  for (const PassedPoint& point : compared.points) {
    if (!point.connection) continue;
    if (speaker == UINT32_MAX || by_server) speaker = *point.connection;
  }
  return speaker;
}

std::vector<Case> split_by_point(const Case& facts) {
  std::vector<Case> cases;
  std::map<std::uint16_t, std::size_t> point_of_input;
  const std::vector<ComparedPoint>& points = facts.comparisons.points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (const std::uint16_t input : points[i].inputs) point_of_input[input] = i;
  }
  // Inputs without a place come last, together.
  std::vector<std::vector<const ConnectionFacts*>> connections(points.size() + 1);
  for (const ConnectionFacts& connection : facts.connections) {
    const auto found = point_of_input.find(connection.first_frame.input());
    connections[found == point_of_input.end() ? points.size() : found->second].push_back(
        &connection);
  }
  for (const auto& list : connections) {
    if (list.empty()) continue;
    Case& one = cases.emplace_back();
    one.captures = facts.captures;
    one.connections_total = facts.connections_total;
    one.unmatched_icmp_errors = facts.unmatched_icmp_errors;
    one.comparisons = facts.comparisons;
    one.hosts = facts.hosts;
    one.host_addresses = facts.host_addresses;
    for (const ConnectionFacts* connection : list) one.connections.push_back(*connection);
    for (const PathFacts& path : facts.paths) {
      const bool is_here = std::ranges::any_of(path.connections, [&](std::uint32_t id) {
        return std::ranges::binary_search(one.connections, id, {}, &ConnectionFacts::id);
      });
      if (is_here) one.paths.push_back(path);
    }
  }
  return cases;
}

void unite_views(const Case& facts, std::vector<Finding>& findings) {
  if (facts.comparisons.connections.empty()) return;
  const std::map<std::uint32_t, std::uint32_t> speaker = speakers(facts);
  for (Finding& finding : findings) {
    for (std::uint32_t& id : finding.connections) {
      if (const auto found = speaker.find(id); found != speaker.end()) id = found->second;
    }
    std::ranges::sort(finding.connections);
    const auto twice = std::ranges::unique(finding.connections);
    finding.connections.erase(twice.begin(), twice.end());
  }
  std::vector<Finding> kept;
  for (Finding& finding : findings) {
    const auto same = std::ranges::find_if(kept, [&](const Finding& other) {
      return !finding.connections.empty() && is_same_claim(finding, other);
    });
    if (same == kept.end()) {
      kept.push_back(std::move(finding));
    } else if (strength(*same) < strength(finding)) {
      *same = std::move(finding);
    }
  }
  findings = std::move(kept);
}

void share_verdicts(const Case& facts, std::vector<std::string>& verdicts) {
  if (facts.comparisons.connections.empty()) return;
  std::map<std::uint32_t, std::size_t> position;
  for (std::size_t i = 0; i < facts.connections.size(); ++i) position[facts.connections[i].id] = i;
  for (const auto& [view, speaker] : speakers(facts)) {
    const auto from = position.find(speaker);
    const auto to = position.find(view);
    if (from != position.end() && to != position.end())
      verdicts[to->second] = verdicts[from->second];
  }
}

void refute_losses(const Case& facts, std::vector<Finding>& findings) {
  if (facts.comparisons.connections.empty()) return;
  for (auto loss = findings.begin(); loss != findings.end();) {
    const std::uint64_t damaged = blames_the_path(loss->fault) ? damaged_not_lost(facts, *loss) : 0;
    const auto cause = std::ranges::find_if(findings, [&](const Finding& other) {
      return damages(other.fault) && other.severity == Severity::fault && is_beside(*loss, other);
    });
    if (damaged == 0 || cause == findings.end()) {
      ++loss;
      continue;
    }
    cause->seconds_lost = std::max(cause->seconds_lost, loss->seconds_lost);
    cause->ruled_out.push_back(
        {loss->fault, fmt::format("every packet came, and {} of them damaged", damaged)});
    loss = findings.erase(loss);
  }
}

void locate_losses(const Case& facts, std::vector<Finding>& findings) {
  if (facts.comparisons.connections.empty()) return;
  for (Finding& finding : findings) {
    if (finding.connections.size() == 1 && is_about_loss(finding.fault)) locate(facts, finding);
  }
}

}  // namespace slowpath::detect
