// SPDX-License-Identifier: Apache-2.0
// Groups of transfers, and the order in which they are judged.
#include "detect/policing.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/arithmetic/statistics.h"
#include "detect/bucket_books.h"
#include "detect/bucket_or_queue.h"
#include "detect/ceilings.h"

namespace slowpath::detect {
namespace {

// In several flights, since one flight's losses are one event.
constexpr std::uint64_t kEpisodes = 5;
// Chance is not blamed either where fewer keep the books of a bucket.
constexpr std::uint64_t kLossesToSuspect = 10;
// Groups looked at, the most losses first: a capture of thousands of connections stays affordable.
constexpr std::size_t kMostGroups = 64;
constexpr std::size_t kMostTransfers = 32;
// Time in silences before timeouts. Beyond that the sender's timer sets the rate: any bucket
// refills in each silence, whatever made the loss.
constexpr double kTimeoutShare = 0.5;
// Times must be known to a fraction of the round trip in which a window is sent.
constexpr double kResolution = 0.2;
// Late by more than that, so many packets of a direction leave no time known behind the path.
constexpr double kShuffledShare = 0.1;

bool can_be_judged(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  if (data.passage.cell_s > kResolution * data.rtt.total.median_s) return false;
  if (data.time.share(TimeOwner::timeout) > kTimeoutShare) return false;
  return !data.passage.cells.empty() && data.acks_seen && data.rtt.total.samples >= 10 &&
         data.unseen_acked_bytes * 10 < data.bytes;
}

std::vector<arithmetic::Passage> passages_of(const std::vector<Transfer>& transfers) {
  Time origin = Time::max();
  for (const Transfer& t : transfers) {
    origin = std::min(origin, t.data().passage.cells.front().at);
  }
  std::vector<arithmetic::Passage> passages;
  for (const Transfer& t : transfers) {
    for (const PassageCell& cell : t.data().passage.cells) {
      passages.push_back({seconds_between(origin, cell.at), static_cast<double>(cell.passed_bytes),
                          static_cast<double>(cell.lost_bytes)});
    }
  }
  std::ranges::stable_sort(passages, {}, &arithmetic::Passage::at_s);
  return passages;
}

/// The rate at which the path spaces packets out, where most of a transfer's trains agree on one.
/// 0: none is seen. A link of that rate has a queue, and a short one keeps the books of a bucket
/// that is emptied by the same bursts.
double spacing_bytes_per_s(const std::vector<Transfer>& transfers) {
  double fastest_bps = 0;
  for (const Transfer& t : transfers) {
    if (spacing_agrees(t.data())) fastest_bps = std::max(fastest_bps, t.data().trains.p75_bps);
  }
  return fastest_bps / 8;
}

/// Seen behind a path that holds packets for times of their own: when they arrive is not when they
/// came to a limit.
bool is_shuffled(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  return !data.reorder.by_sack &&
         static_cast<double>(data.reorder.packets) >
             kShuffledShare * static_cast<double>(data.data_packets) &&
         data.reorder.median_late_s > kResolution * data.rtt.total.median_s;
}

double largest_flight(const std::vector<Transfer>& transfers) {
  std::uint64_t bytes = 0;
  for (const Transfer& t : transfers) bytes = std::max(bytes, t.data().flight_plateau_bytes);
  return static_cast<double>(bytes);
}

Policing judge(std::vector<Transfer> transfers) {
  Policing judged;
  double resolution_s = 0;
  for (const Transfer& t : transfers) {
    judged.losses += t.data().lost_packets;
    judged.episodes += t.data().loss_episodes;
    resolution_s = std::max(resolution_s, t.data().passage.cell_s);
  }
  judged.transfers = std::move(transfers);
  if (judged.losses < kLossesToSuspect || judged.episodes < kEpisodes) {
    judged.why_not = fmt::format("{} in {}; {} in {} are needed", counted(judged.losses, "loss"),
                                 counted(judged.episodes, "flight"), kLossesOfABucket, kEpisodes);
    return judged;
  }
  if (std::ranges::any_of(judged.transfers, is_shuffled)) {
    judged.why_not =
        "packets arrive late by much of a round trip: when they came to a limit is not known";
    return judged;
  }
  const double spacing = spacing_bytes_per_s(judged.transfers);
  const auto bucket =
      arithmetic::fit_token_bucket(passages_of(judged.transfers), resolution_s, spacing);
  if (!bucket) {
    judged.why_not = "nothing passed between the losses";
    return judged;
  }
  judged.bucket = *bucket;
  judged.queue_s = bucket->least_queue_s;
  // What arrives spaced out by a link tells nothing of that link's room: a bucket filled at its
  // rate never empties then. Its queue would be as short as the link is fast, and overflows only
  // where a flight does not fit.
  if (spacing > 0 && is_behind_the_limit(judged.transfers) &&
      largest_flight(judged.transfers) > bucket->burst_bytes) {
    judged.queue_s = std::min(judged.queue_s, bucket->level_bytes / spacing);
    judged.link_seen = true;
  }
  judged.rise_s = rise_before_losses_s(judged.transfers);
  judged.why_not = why_no_bucket(judged);
  judged.has_bucket = judged.why_not.empty();
  if (judged.has_bucket) judged.why_not = why_a_queue(judged);
  const bool kept = judged.why_not.empty();
  judged.fits = kept && judged.losses >= kLossesOfABucket;
  judged.may_fit = kept != judged.fits || (!judged.has_bucket && may_be_a_bucket(judged));
  return judged;
}

using HostPair = std::pair<IpAddress, IpAddress>;  // sender, receiver

std::vector<std::vector<Transfer>> groups_of(const Case& facts) {
  std::map<HostPair, std::vector<Transfer>> by_hosts;
  for (const Transfer& t : transfers_with_data(facts)) {
    if (!can_be_judged(t)) continue;
    std::vector<Transfer>& group = by_hosts[{t.sender().address, t.receiver().address}];
    if (group.size() < kMostTransfers) group.push_back(t);
  }
  std::vector<std::vector<Transfer>> groups;
  for (auto& [hosts, group] : by_hosts) groups.push_back(std::move(group));
  const auto losses = [](const std::vector<Transfer>& group) {
    std::uint64_t sum = 0;
    for (const Transfer& t : group) sum += t.data().lost_packets;
    return sum;
  };
  std::ranges::stable_sort(groups,
                           [&](const auto& a, const auto& b) { return losses(a) > losses(b); });
  if (groups.size() > kMostGroups) groups.erase(groups.begin() + kMostGroups, groups.end());
  return groups;
}

std::vector<Policing> judge_groups(const Case& facts) {
  std::vector<Policing> judged;
  for (const std::vector<Transfer>& group : groups_of(facts)) {
    Policing together = judge(group);
    if (together.fits || group.size() == 1) {
      judged.push_back(std::move(together));
      continue;
    }
    for (const Transfer& t : group) judged.push_back(judge({t}));
  }
  return judged;
}

}  // namespace

const std::vector<Policing>& policing_of(const Case& facts, Findings& findings) {
  if (!findings.policing) {
    findings.policing = std::make_shared<const std::vector<Policing>>(judge_groups(facts));
  }
  return *findings.policing;
}

const Policing* find_policing(const std::vector<Policing>& judged, const Transfer& transfer) {
  for (const Policing& policing : judged) {
    for (const Transfer& t : policing.transfers) {
      if (t.connection.id == transfer.connection.id && t.direction == transfer.direction) {
        return &policing;
      }
    }
  }
  return nullptr;
}

}  // namespace slowpath::detect
