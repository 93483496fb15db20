// SPDX-License-Identifier: Apache-2.0
// Arithmetic of loss_pattern.h.
#include "detect/loss_pattern.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/loss_model.h"
#include "detect/checksum_toll.h"
#include "detect/loss_chance.h"
#include "detect/superframe_edge.h"
#include "detect/tap.h"

namespace slowpath::detect {
namespace {

// A length class is a size edge when this many first copies were sent and none arrived: by chance,
// at a loss of one half, once in 64.
constexpr std::uint64_t kEdgeCopies = 6;
// And when it explains at least half of what was lost.
constexpr double kExplainedShare = 0.5;
// One round trip in four again is what ACK compression and delayed ACKs make without any queue.
constexpr double kQueueRatio = 1.3;
// Shorter growth is the receiver's interrupt moderation and scheduling.
constexpr double kQueueSeconds = 0.002;
// Of the handshake's time: what nearly all samples take when the least of them is stray.
constexpr double kAsHandshake = 0.8;
// Mixed datagrams: one may be a copy from elsewhere with a broken header.
constexpr std::uint64_t kMixed = 3;
// Fewer losses than these prove no pattern (the catalogue's minimum for random-loss).
constexpr std::uint64_t kPatternLosses = 10;
// Losses of one flight are one event, and ten losses of chance are hardly in fewer flights.
constexpr std::uint64_t kPatternFlights = 6;
// The mean of n uniform ranks scatters by 0.29/sqrt(n): 0.09 for ten. 0.75 is nearly three of them
// above the middle.
constexpr double kRankOfQueue = 0.75;
// Part of the time in a queue, from which on a path is always loaded.
constexpr double kAlwaysFull = 0.85;
// Losses a flight. Independent losses share a flight now and then, a full queue drops many at once.
constexpr double kAloneShare = 0.5;
// Flights die: several losses in each, a tenth of all that is sent, a third of the time in
// timeouts. Independent losses of one in ten leave a sender with flights of a few segments, one
// lost in each.
constexpr double kLossesOfDeadFlight = 2.0;
constexpr double kDeadShare = 0.10;
constexpr double kDeadTimeShare = 0.30;
// With flights of four segments and more, a quarter of the losses at most are at an end by chance.
constexpr double kTailShare = 0.6;
// Needless resends for each loss, from which on they speak for all.
constexpr std::uint64_t kNeedlessPerLoss = 4;
// And with a proof for each of them: hardly more than one ACK in seven is lost.
constexpr std::uint64_t kProvedPerLoss = 6;

double as_double(std::uint64_t n) { return static_cast<double>(n); }

std::string size_edge(const DirectionFacts& data) {
  std::uint64_t smaller_delivered = 0;
  std::uint64_t lost_above = 0, sent_above = 0;
  std::uint32_t edge = 0;
  for (const SizeClass& size : data.sizes) {
    if (size.first_delivered == 0 && size.first_lost > 0) {
      if (edge == 0) edge = size.min_len;
      lost_above += size.first_lost;
      sent_above += size.first_sent;
    } else if (edge == 0) {
      smaller_delivered += size.first_delivered;
    } else if (size.first_delivered > 0) {
      return {};  // A longer one passed: no edge.
    }
  }
  const bool edge_found = edge > 0 && smaller_delivered > 0 && sent_above >= kEdgeCopies;
  if (!edge_found || as_double(lost_above) < kExplainedShare * as_double(data.lost_packets)) {
    return {};
  }
  return fmt::format(
      "none of the {} packets of {} bytes or more arrived at first sending, "
      "shorter ones did: length decides",
      sent_above, edge);
}

std::string lost_superframes(const DirectionFacts& data) {
  const SuperframeFacts& super = data.superframes;
  if (const SuperframeEdge edge = find_edge(super); only_large_are_lost(data, edge)) {
    return fmt::format(
        "super-frames of {} segments and more were lost whole, {} of {}, smaller "
        "ones arrived",
        edge.segments, edge.lost, edge.lost + edge.delivered);
  }
  if (super.lost_whole < 3 || super.lost_whole * 2 < super.sent) return {};
  if (as_double(super.lost_whole) < kExplainedShare * as_double(data.lost_packets)) return {};
  return fmt::format("{} of {} super-frames were lost whole", super.lost_whole, super.sent);
}

std::string bad_checksums(const DirectionFacts& data) {
  if (unfinished_were_refused(data)) {
    return fmt::format("{} of the lost packets arrived with a checksum that was never completed",
                       data.checksums.partial_needed_resend);
  }
  if (unfinished_may_be_refused(data)) {
    return fmt::format(
        "{} of the lost packets passed here with a checksum left to be finished, between two "
        "virtual ends: whether they were lost or refused does not show",
        data.checksums.partial_needed_resend);
  }
  const std::uint64_t bad = data.checksums.bad_needed_resend;
  if (bad == 0 || as_double(bad) < kExplainedShare * as_double(data.lost_packets)) return {};
  return fmt::format("{} of the lost packets arrived with a wrong checksum", bad);
}

std::string too_big(const Transfer& transfer) {
  std::uint64_t errors = 0;
  for (const IcmpFacts& icmp : transfer.connection.icmp) {
    const bool needed = (icmp.version == 4 && icmp.type == 3 && icmp.code == 4) ||
                        (icmp.version == 6 && icmp.type == 2);
    if (needed && icmp.about == transfer.direction) ++errors;
  }
  if (errors == 0 || errors * 2 < transfer.data().loss_episodes) return {};
  return fmt::format("{} ICMP errors say that packets were too long for the path", errors);
}

// Fragments joined with another datagram's are thrown away for their checksum, whole or not.
std::string mixed_fragments(const Transfer& transfer) {
  // There can be as many paths as transfers that ask: without fragments none is looked at.
  const auto has_fragments = [](const CaptureFacts& c) { return c.fragment_packets > 0; };
  if (std::ranges::none_of(transfer.facts.captures, has_fragments)) return {};
  for (const PathFacts& path : transfer.facts.paths) {
    const bool ahead = path.a == transfer.sender().address && path.b == transfer.receiver().address;
    const bool back = path.b == transfer.sender().address && path.a == transfer.receiver().address;
    if (!ahead && !back) continue;
    const FragmentFacts& fragments = path.fragments[ahead ? 0 : 1];
    if (fragments.id_reuses_open < kMixed) continue;
    const double explained = as_double(fragments.id_reuses_open + fragments.incomplete);
    if (explained < kExplainedShare * as_double(transfer.data().lost_packets)) continue;
    return fmt::format(
        "{} fragmented packets were joined from different ones, {} stayed incomplete",
        fragments.id_reuses_open, fragments.incomplete);
  }
  return {};
}

}  // namespace

double rank_among(const std::array<double, 21>& quantiles, double value) {
  const auto below = std::lower_bound(quantiles.begin(), quantiles.end(), value);
  const auto above = std::upper_bound(below, quantiles.end(), value);
  if (above == quantiles.begin()) return 0;
  if (below == quantiles.end()) return 1;
  const double steps = as_double(quantiles.size() - 1);
  if (below != above) {
    const auto first = static_cast<double>(below - quantiles.begin());
    const auto last = static_cast<double>(above - quantiles.begin() - 1);
    return (first + last) / 2 / steps;
  }
  const double low = *(below - 1);
  const double part = *below > low ? (value - low) / (*below - low) : 0.5;
  return (static_cast<double>(below - quantiles.begin()) - 1 + part) / steps;
}

double segments_sent(const DirectionFacts& data) {
  const double packets = as_double(data.data_packets);
  if (data.segment_size == 0) return packets;
  return std::max(packets, as_double(data.bytes) / data.segment_size);
}

LossPattern loss_pattern(const DirectionFacts& data) {
  LossPattern pattern;
  double ranks = 0;
  for (const LossEvent& loss : data.losses) {
    note(pattern.originals, loss.original ? loss.original : loss.resend);
    note(pattern.resends, loss.resend);
    if (loss.rtt_before_s > 0 && data.rtt.total.samples > 0) {
      ranks += rank_among(data.rtt.quantiles_s, loss.rtt_before_s);
      ++pattern.ranked;
    }
  }
  pattern.losses = data.lost_packets;
  pattern.episodes = data.loss_episodes;
  const double sent = segments_sent(data);
  pattern.share = sent > 0 ? std::min(1.0, as_double(data.lost_packets) / sent) : 0;
  if (pattern.ranked > 0) pattern.mean_rank = ranks / as_double(pattern.ranked);
  return pattern;
}

double least_rtt_s(const RttSet& rtt) {
  const double handshake_s = rtt.handshake_s.value_or(0);
  const double nearly_all_s = rtt.quantiles_s[1];
  const bool stray = 2 * rtt.total.min_s < handshake_s && nearly_all_s > kAsHandshake * handshake_s;
  return stray ? std::min(nearly_all_s, handshake_s) : rtt.total.min_s;
}

QueueFacts queue_of(const DirectionFacts& data) {
  const RttSet& rtt = data.rtt;
  if (rtt.total.samples < kQueueSamples) return {};
  const double loaded_s = rtt.loaded_s > 0 ? rtt.loaded_s : rtt.total.median_s;
  // Under load no slower than the handshake was: what is far below both are stray samples (of what
  // was sent more than once, say), and nothing queues. A handshake that waited for ARP took two
  // round trips.
  const double handshake_s = rtt.handshake_s.value_or(0);
  if (loaded_s > 0 && loaded_s <= handshake_s && 2 * rtt.total.min_s < handshake_s) {
    return {loaded_s, loaded_s};
  }
  return {least_rtt_s(rtt), loaded_s};
}

std::string why_no_queue_known(const DirectionFacts& data, const QueueFacts& queue,
                               std::uint64_t needed) {
  if (data.rtt.total.samples < needed)
    return fmt::format("{} round-trip times; {} are needed", data.rtt.total.samples, needed);
  if (!queue.known())
    return "round trips take no time by the capture's clock: whether they grow does not show";
  return {};
}

std::string loaded_when(const DirectionFacts& data) {
  if (data.rtt.loaded_s <= 0) return "of all";
  if (!is_at_sender(data)) return "with the flight above half of its maximum";
  return fmt::format("with the flight above half of its maximum of {}",
                     format_bytes(as_double(data.flight_max_bytes)));
}

bool queue_builds(const QueueFacts& queue) {
  return queue.known() && queue.ratio() >= kQueueRatio && queue.added_s() >= kQueueSeconds;
}

bool losses_are_random(const DirectionFacts& data, const LossPattern& pattern) {
  if (pattern.losses < kPatternLosses || pattern.episodes < kPatternFlights) return false;
  // Independent of load: at any round-trip time. Without a queue that could be told by there being
  // none, many losses a flight would be a policer's.
  const bool alone = as_double(pattern.episodes) >= kAloneShare * as_double(pattern.losses);
  if (!alone || losses_come_in_runs(data, pattern)) return false;
  if (!why_not_chance(data, pattern).empty()) return false;
  // Chance does not prefer the last segment of a burst.
  if (as_double(data.tail_timeouts) >= kTailShare * as_double(pattern.episodes) &&
      data.flight_max_bytes > 4 * std::uint64_t{data.segment_size}) {
    return false;
  }
  if (!queue_builds(queue_of(data))) return data.rtt.total.samples >= kPatternLosses;
  // A path that queues nearly all the time shows no loss without load: what others put into the
  // queue between two round trips is not seen, and ranks among round trips say little.
  if (data.time.share(TimeOwner::bottleneck) > kAlwaysFull) return false;
  return pattern.ranked * 2 >= pattern.losses && pattern.mean_rank < kRankOfQueue;
}

// Loss that takes resends like everything else leaves next to nothing of a rate (PFTK). Three times
// as much shows that resends were spared. Linux' least timeout, and what window there was.
bool resends_are_spared(const DirectionFacts& data, const LossPattern& pattern) {
  // Of a round trip that is not known, less than any path's: timeouts bind all the same.
  constexpr double kModelFactor = 3, kTimeout_s = 0.2, kShortestRtt_s = 0.0001;
  const double mss = data.segment_size > 0 ? data.segment_size : data.largest_payload;
  if (pattern.share < kDeadShare || mss <= 0) return false;
  const double median_s = data.rtt.total.median_s;
  const double rtt_s = median_s > 0 ? median_s : kShortestRtt_s;
  const double left_bps =
      arithmetic::pftk_rate_bps(mss, rtt_s, pattern.share, {.rto_s = kTimeout_s});
  return data.goodput_bps > kModelFactor * left_bps;
}

bool flights_die(const DirectionFacts& data, const LossPattern& pattern) {
  if (resends_are_spared(data, pattern)) return true;
  return as_double(pattern.losses) >= kLossesOfDeadFlight * as_double(pattern.episodes) &&
         pattern.share >= kDeadShare && data.time.share(TimeOwner::timeout) >= kDeadTimeShare;
}

std::string may_have_been_late(const DirectionFacts& data) {
  const std::uint64_t many = kNeedlessPerLoss * data.lost_packets;
  // Where both copies of each are proved to have come, only those are left of which the proof was
  // lost with its ACK.
  const bool most_came_late =
      data.reorder.packets >= many || data.reorder.late() >= kProvedPerLoss * data.lost_packets;
  if (data.spurious.packets < many || data.spurious.packets == 0) return {};
  if (most_came_late) {
    return fmt::format(
        "{} of {} resends were needless, and {} packets came late: the others may have been late "
        "as well",
        data.spurious.packets, data.resent_packets, data.reorder.late());
  }
  // At the sender SACK alone tells what came late: without a block that could be read, nothing
  // does.
  if (!is_at_sender(data) || data.sack_blocks > 0) return {};
  return fmt::format(
      "{} of {} resends were needless, and no SACK tells which packets came late: the others may "
      "have been late as well",
      data.spurious.packets, data.resent_packets);
}

std::string taken_for_lost(const DirectionFacts& data) {
  // Each takes the window down, until the sender learns that it was needless (RFC 3708, RFC 5682):
  // one in so many round trips leaves it no time to grow.
  constexpr std::uint64_t kRoundsToGrow = 10, kSeveral = 3;
  const std::uint64_t needless = data.spurious.packets;
  if (needless < kSeveral || needless * kRoundsToGrow < data.flight_rounds) return {};
  return fmt::format(
      "{} resends were needless in {} round trips: what came late was taken for lost, which keeps "
      "the window small",
      needless, data.flight_rounds);
}

std::string other_cause_of_loss(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  for (std::string why : {lost_superframes(data), size_edge(data), bad_checksums(data),
                          too_big(transfer), mixed_fragments(transfer)}) {
    if (!why.empty()) return why;
  }
  return {};
}

}  // namespace slowpath::detect
