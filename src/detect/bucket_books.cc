// SPDX-License-Identifier: Apache-2.0
// See bucket_books.h.
#include "detect/bucket_books.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/statistics.h"
#include "detect/bucket_or_queue.h"
#include "detect/loss_chance.h"
#include "detect/loss_pattern.h"
#include "detect/tap.h"

namespace slowpath::detect {
namespace {

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

}  // namespace

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

bool is_behind_the_limit(const std::vector<Transfer>& transfers) {
  return std::ranges::any_of(transfers,
                             [](const Transfer& t) { return is_behind_losses(t.data()); });
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

bool losses_ignore_rate(const Policing& judged) {
  const arithmetic::TokenBucket& bucket = judged.bucket;
  if (bucket.rate_bytes_per_s <= 0 || judged.losses < kLossesOfABucket) return false;
  return bucket.lost_with_tokens > kAgainstChance * (1 - bucket.passed_near_empty) ||
         bucket.passed_without > kClearlyWithout;
}

}  // namespace slowpath::detect
