// SPDX-License-Identifier: Apache-2.0
// Groups, tests and thresholds of policing.h.
#include "detect/policing.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/arithmetic/statistics.h"
#include "detect/ceilings.h"
#include "detect/loss_chance.h"
#include "detect/loss_pattern.h"

namespace slowpath::detect {
namespace {

// The catalogue: 15 losses; two parameters fit fewer by chance. In several flights, since one
// flight's losses are one event.
constexpr std::uint64_t kLosses = 15;
constexpr std::uint64_t kEpisodes = 5;
// Chance is not blamed either where fewer keep the books of a bucket.
constexpr std::uint64_t kLossesToSuspect = 10;
// Losses that found tokens, of those that chance would have had find some: a quarter at most. The
// rest is resends that were called needed and were not (Flach et al. allow 10 % as well).
constexpr double kAgainstChance = 0.25;
// Behind the limit a loss shows as a gap between arrivals, which the receiving host delays and
// merges: from so far on a bucket is at least possible. Random loss leaves 0.4 and more.
constexpr double kBlurredAgainstChance = 0.33;
constexpr double kBlurredWithout = 0.12;
// And so few by chance at most this often: some hundred buckets are tried, and the best is taken.
// Flights are counted, since the losses of one are one event.
constexpr double kChance = 1e-6;
// Where times are known to a fraction of a round trip the books come out to a few per cent, in both
// columns; random loss leaves a tenth in one of them at least.
constexpr double kLostWith = 0.06;
constexpr double kPassedWithout = 0.06;
// And from here on the limit is none, in bursts as well.
constexpr double kClearlyWithout = 0.25;
// Senders back off: behind a policer they lose up to a sixth of what they send. Where more is lost
// and much of what passed found the bucket as empty as what was lost, tokens chose neither: two
// frames that are merged and then too long for the next link look so.
constexpr double kMostLost = 0.2;
constexpr double kMostNearEmpty = 0.4;
// A bucket that takes as much from flights of a few segments is empty for whole round trips: then
// it takes the resends as well, about as often. Behind it only those are seen that passed.
constexpr std::uint64_t kFewSegments = 4;
constexpr double kResendsSpared = 0.25;
// A queue of the bucket's depth would show as delay. Less than a third of it is none; and delays
// shorter than this could not be told from host jitter.
constexpr double kQueueShown = 0.3;
constexpr double kLeastQueueSeconds = 0.002;
// Not even whether it was there can be told of a shorter one.
constexpr double kShortestQueueSeconds = 0.001;
// The mean rank of round trips before losses, up to which no queue made them: chance leaves one
// half, a queue that overflows three quarters and more.
constexpr double kAnyTime = 0.6;
// From this share of the time on a queue stands; and up to this rank it is short. Below one half,
// as what fills a queue empties a bucket.
constexpr double kQueueStands = 0.5, kWhenShort = 0.25;
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

/// How far round trips had grown when packets were lost, at the median of all losses.
double rise_before_losses_s(const std::vector<Transfer>& transfers) {
  std::vector<double> rises;
  for (const Transfer& t : transfers) {
    const RttSet& rtt = t.data().rtt;
    for (const LossEvent& loss : t.data().losses) {
      if (loss.rtt_before_s > 0) rises.push_back(loss.rtt_before_s - rtt.total.min_s);
    }
    rises.push_back(queue_of(t.data()).added_s());
  }
  return arithmetic::median(rises).value_or(0);
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

/// The chance that of so many events no more than this share happens, each with `chance`.
double chance_of_so_few(std::uint64_t events, double share, double chance) {
  const auto most =
      static_cast<std::uint64_t>(std::floor(share * static_cast<double>(events) + 0.5));
  return arithmetic::chance_of_at_most(most, events, chance);
}

/// Of the packets of all transfers.
double share_lost(const Policing& judged) {
  double lost = 0, sent = 0;
  for (const Transfer& transfer : judged.transfers) {
    lost += static_cast<double>(transfer.data().lost_packets);
    sent += static_cast<double>(transfer.data().data_packets);
  }
  return sent > 0 ? lost / sent : 0;
}

bool loses_few_resends(const Transfer& transfer, double share) {
  const DirectionFacts& data = transfer.data();
  const bool small_flights =
      data.segment_size > 0 && data.flight_plateau_bytes <= kFewSegments * data.segment_size;
  return small_flights && static_cast<double>(data.lost_resends) <
                              kResendsSpared * share * static_cast<double>(data.resent_packets);
}

/// Senders back off: so much is not lost to a bucket that passes as much while it is empty, nor to
/// one that passes what is sent again. Empty if tokens may have chosen.
std::string why_no_tokens(const Policing& judged) {
  const double share = share_lost(judged);
  if (share <= kMostLost) return {};
  if (judged.bucket.passed_near_empty > kMostNearEmpty) {
    return fmt::format("{} of all was lost, and {} of what passed found the best bucket as empty",
                       format_percent(share), format_percent(judged.bucket.passed_near_empty));
  }
  const auto spares_resends = [=](const Transfer& t) { return loses_few_resends(t, share); };
  if (!std::ranges::all_of(judged.transfers, spares_resends)) return {};
  return fmt::format("{} of all was lost from flights of a few segments, but hardly a resend",
                     format_percent(share));
}

std::string why_no_bucket(const Policing& judged) {
  const arithmetic::TokenBucket& bucket = judged.bucket;
  const double by_chance = 1 - bucket.passed_near_empty;
  if (bucket.lost_with_tokens > std::min(kLostWith, kAgainstChance * by_chance)) {
    return fmt::format("{} of what was lost found tokens in the best bucket ({}, {}); by chance {}",
                       format_percent(bucket.lost_with_tokens),
                       format_rate(bucket.rate_bytes_per_s * 8), format_bytes(bucket.burst_bytes),
                       format_percent(by_chance));
  }
  if (std::string why = why_no_tokens(judged); !why.empty()) return why;
  if (chance_of_so_few(judged.episodes, bucket.lost_with_tokens, by_chance) > kChance) {
    return fmt::format(
        "{} flights with losses; that they found the best bucket empty may be chance",
        judged.episodes);
  }
  if (bucket.passed_without > kPassedWithout) {
    return fmt::format("{} passed while the best bucket was empty",
                       format_percent(bucket.passed_without));
  }
  return {};
}

/// Losses come when round trips are at their longest, however little that is.
bool come_when_full(const std::vector<Transfer>& transfers) {
  return std::ranges::any_of(
      transfers, [](const Transfer& t) { return !losses_come_when_full(t.data()).empty(); });
}

bool large_frames_die(const std::vector<Transfer>& transfers) {
  return std::ranges::all_of(transfers, [](const Transfer& t) {
    return large_frames_may_die(t.data(), loss_runs(t.data()));
  });
}

bool come_in_runs(const std::vector<Transfer>& transfers) {
  return std::ranges::any_of(transfers, [](const Transfer& t) {
    return losses_come_in_runs(t.data(), loss_pattern(t.data()));
  });
}

/// Round trips before losses are no longer than at other times, by enough losses to tell.
bool come_at_any_time(const std::vector<Transfer>& transfers) {
  double ranks = 0, count = 0;
  for (const Transfer& t : transfers) {
    const LossPattern pattern = loss_pattern(t.data());
    ranks += pattern.mean_rank * static_cast<double>(pattern.ranked);
    count += static_cast<double>(pattern.ranked);
  }
  return count >= static_cast<double>(kLosses) && ranks <= kAnyTime * count &&
         !come_when_full(transfers);
}

/// Although a queue of their own stands most of the time, losses come when it is short. A bucket,
/// too, is emptied by much that is under way.
bool come_when_empty(const std::vector<Transfer>& transfers) {
  return std::ranges::any_of(transfers, [](const Transfer& t) {
    const LossPattern pattern = loss_pattern(t.data());
    return pattern.ranked >= kLosses && pattern.mean_rank <= kWhenShort &&
           t.data().time.share(TimeOwner::bottleneck) >= kQueueStands;
  });
}

std::string why_a_queue(const Policing& judged) {
  if (come_when_empty(judged.transfers)) {
    return "a queue stands most of the time, and losses come when it is short: neither tokens nor "
           "room choose them";
  }
  if (judged.queue_s >= kLeastQueueSeconds && judged.rise_s <= kQueueShown * judged.queue_s) {
    return {};
  }
  // Hardly to be told by its length: then by whether it is there when something is lost.
  if (!judged.link_seen && judged.queue_s >= kShortestQueueSeconds &&
      judged.rise_s < std::min(kLeastQueueSeconds, judged.queue_s) &&
      come_at_any_time(judged.transfers)) {
    return {};
  }
  return fmt::format(
      "round trips had grown by {} before losses, and a queue of {} would show as "
      "{}: what overflows may be a queue",
      format_duration(judged.rise_s), format_bytes(judged.bucket.level_bytes),
      format_duration(judged.queue_s));
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

/// Seen away from the sender: what was lost never passed the tap.
bool is_behind_the_limit(const std::vector<Transfer>& transfers) {
  return std::ranges::any_of(transfers, [](const Transfer& t) {
    return t.data().lost_before_capture * 2 > t.data().lost_packets;
  });
}

double largest_flight(const std::vector<Transfer>& transfers) {
  std::uint64_t bytes = 0;
  for (const Transfer& t : transfers) bytes = std::max(bytes, t.data().flight_plateau_bytes);
  return static_cast<double>(bytes);
}

bool may_be_a_bucket(const Policing& judged) {
  const arithmetic::TokenBucket& bucket = judged.bucket;
  // Of a flight that has one time here the losses are asked last. Where they are neighbours they
  // are its end, as a bucket leaves it; others may lie anywhere in it.
  const double by_chance =
      1 - (come_in_runs(judged.transfers) ? bucket.passed_near_empty : bucket.left_near_empty);
  if (come_when_full(judged.transfers) || large_frames_die(judged.transfers)) return false;
  return why_no_tokens(judged).empty() && is_behind_the_limit(judged.transfers) &&
         bucket.passed_without <= kBlurredWithout &&
         bucket.lost_with_tokens <= kBlurredAgainstChance * by_chance &&
         chance_of_so_few(judged.episodes, bucket.lost_with_tokens, by_chance) <= kChance;
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
                                 counted(judged.episodes, "flight"), kLosses, kEpisodes);
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
  judged.fits = kept && judged.losses >= kLosses;
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

bool losses_ignore_rate(const Policing& judged) {
  const arithmetic::TokenBucket& bucket = judged.bucket;
  if (bucket.rate_bytes_per_s <= 0 || judged.losses < kLosses) return false;
  return bucket.lost_with_tokens > kAgainstChance * (1 - bucket.passed_near_empty) ||
         bucket.passed_without > kClearlyWithout;
}

}  // namespace slowpath::detect
