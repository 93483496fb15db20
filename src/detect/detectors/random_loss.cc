// SPDX-License-Identifier: Apache-2.0
// random-loss: packets are lost at any time, whether the path is loaded or not.
// The user sees a rate far below the link's that no window explains. Recognised by losses that come
// alone and at any round-trip time; the rank of the round-trip time before each loss among all of
// them is near one half (Mathis, CCR 27(3) 1997 for the price). Look-alikes: a full queue (losses
// in bursts while the round-trip time is high), a size that never passes, wrong checksums.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/arithmetic/loss_model.h"
#include "detect/bucket_books.h"
#include "detect/full_path.h"
#include "detect/loss_chance.h"
#include "detect/loss_pattern.h"
#include "detect/overflow_toll.h"
#include "detect/policing.h"
#include "detect/policy.h"
#include "detect/tap.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "random-loss";
// The catalogue's minimum: fewer events show no distribution.
constexpr std::uint64_t kLosses = 10;
// Below this nobody would name loss at all.
constexpr std::uint64_t kLossesToMention = 4;
// Part of the time spent in a queue from which on it may have made the losses.
constexpr double kBottleneckShare = 0.10;
// How far the loss model may miss the rate and still explain it. Both directions: a sender that is
// three times faster than the model does not slow down for loss (BBR), one three times slower is
// held back by something else.
constexpr double kModelFactor = 3;

/// The rate that this loss leaves to CUBIC or Reno, whichever is more.
double rate_left_bps(const DirectionFacts& data, double share) {
  const double mss = data.segment_size > 0 ? data.segment_size : data.largest_payload;
  const double rtt = data.rtt.total.median_s;
  return std::max(arithmetic::cubic_rate_bps(mss, rtt, share),
                  arithmetic::mathis_rate_bps(mss, rtt, share));
}

double ceiling_bps(const DirectionFacts& data) {
  if (data.rtt.total.median_s <= 0 || data.window.max_bytes == 0) return 0;
  return static_cast<double>(data.window.max_bytes) * 8 / data.rtt.total.median_s;
}

/// Of all that was sent again, so much was needed: the rest is not loss's.
double needed_share(const DirectionFacts& data) {
  const double needless = static_cast<double>(data.spurious.packets);
  const double lost = static_cast<double>(data.lost_packets);
  return lost + needless > 0 ? lost / (lost + needless) : 1;
}

double repair_s(const DirectionFacts& data) {
  return data.time[TimeOwner::loss_recovery] * needed_share(data) + data.time[TimeOwner::timeout];
}

/// A congestion control answers once for all losses of a flight.
double answered_share(const LossPattern& pattern) {
  if (pattern.losses == 0) return 0;
  return pattern.share * static_cast<double>(pattern.episodes) /
         static_cast<double>(pattern.losses);
}

/// Several losses a flight on a path that queues: congestion-self judges those.
bool queue_explains(const DirectionFacts& data, const LossPattern& pattern) {
  if (!queue_builds(queue_of(data))) return false;
  const bool ranked = pattern.losses >= kLosses && pattern.ranked * 2 >= pattern.losses;
  const bool bursts = pattern.losses > 2 * pattern.episodes &&
                      data.time.share(TimeOwner::bottleneck) >= kBottleneckShare;
  return ranked || bursts;
}

/// Recovery and timeouts, and the waiting for ACKs with a window that losses keep small: as far as
/// the receive window would have allowed more.
double seconds_lost_to(const DirectionFacts& data, double share) {
  const double repair = repair_s(data);
  const double waiting = data.time[TimeOwner::congestion_window];
  const double sending = waiting + data.time[TimeOwner::loss_recovery] +
                         data.time[TimeOwner::slow_start] + data.time[TimeOwner::bottleneck];
  const double left = rate_left_bps(data, share);
  if (sending <= 0 || left <= 0) return repair;
  const double rate = static_cast<double>(data.bytes) * 8 / sending;
  if (rate > left * kModelFactor || rate * kModelFactor < left) return repair;
  const double ceiling = ceiling_bps(data);
  const double part = ceiling > rate ? 1 - rate / ceiling : 0;
  return repair + waiting * part * needed_share(data);
}

struct Judged {
  bool complete = false;
  bool excluded = false;  // something else than chance chose them
  std::string why_not;    // complete only when empty
};

/// A noisy path loses several packets in a row too. What tells them from a full queue or a policer:
/// nothing queues, and they come whether the rate is high or low. Behind the place of loss rates
/// are blurred, and neighbours that die together may as well have been one frame.
bool bursts_are_random(const DirectionFacts& data, const LossPattern& pattern,
                       const Policing* policing) {
  if (is_behind_losses(data) && losses_come_in_runs(data, pattern)) return false;
  return pattern.episodes >= kLosses && !queue_builds(queue_of(data)) && policing != nullptr &&
         losses_ignore_rate(*policing);
}

/// A tick of the capture's clock is half a round trip or more: neither the load at a loss nor what
/// a limit of rate would have let pass shows in such times.
bool clock_hides_load(const Transfer& transfer) {
  constexpr double kOfRoundTrip = 0.5;
  const double tick_s = transfer.connection.clock_tick_s;
  return tick_s > 0 && tick_s >= kOfRoundTrip * transfer.data().rtt.total.median_s;
}

Judged judge(const Transfer& transfer, const LossPattern& pattern, const Policing* policing) {
  const DirectionFacts& data = transfer.data();
  if (std::string why = may_have_been_late(data); !why.empty()) return {false, true, why};
  if (std::string why = why_not_chance(data, pattern); !why.empty()) return {false, true, why};
  if (pattern.losses < kLosses) {
    return {false, false,
            fmt::format("{}; {} are needed to show a distribution", counted(pattern.losses, "loss"),
                        kLosses)};
  }
  if (policing != nullptr && (policing->has_bucket || policing->may_fit)) {
    return {false, false,
            fmt::format("a limit of {} that {} may exceed chose what was lost",
                        format_rate(policing->bucket.rate_bytes_per_s * 8),
                        format_bytes(policing->bucket.burst_bytes))};
  }
  if (clock_hides_load(transfer))
    return {false, false, "the capture's clock is too coarse to see the load at each loss"};
  if (losses_are_random(data, pattern) || bursts_are_random(data, pattern, policing)) {
    return {true, false, {}};
  }
  const std::string where = fmt::format(
      "{} in {}, mean rank of the round-trip time before them {:.2f}",
      counted(pattern.losses, "loss"), counted(pattern.episodes, "burst"), pattern.mean_rank);
  if (losses_come_in_runs(data, pattern)) {
    return {false, true, where + ": neighbours are lost together, more than chance would have it"};
  }
  if (data.rtt.total.samples < kLosses || pattern.ranked * 2 < pattern.losses) {
    return {false, false, "too few round-trip times to see the load at each loss"};
  }
  return {false, false, where + ": a full queue or a policer fits better"};
}

std::vector<Evidence> evidence_of(const DirectionFacts& data, const LossPattern& pattern) {
  std::vector<Evidence> evidence;
  evidence.push_back(shown_by(fmt::format("{} lost ({} of the segments) in {} separate flights",
                                          counted(pattern.losses, "packet"),
                                          format_percent(pattern.share), pattern.episodes),
                              pattern.originals,
                              {{"lost_packets", static_cast<double>(pattern.losses)},
                               {"loss_share", pattern.share},
                               {"loss_episodes", static_cast<double>(pattern.episodes)}}));
  const QueueFacts queue = queue_of(data);
  if (queue.known()) {
    evidence.push_back(shown_by(
        fmt::format("the round-trip time is {} at least and {} under load; before losses its mean "
                    "rank is {:.2f} (0.5: any time, 1: only when the queue is full)",
                    format_duration(queue.base_s), format_duration(queue.loaded_s),
                    pattern.mean_rank),
        pattern.resends,
        {{"rtt_min_us", queue.base_s * 1e6},
         {"rtt_loaded_us", queue.loaded_s * 1e6},
         {"mean_rank", pattern.mean_rank}}));
  }
  return evidence;
}

void report(const Transfer& transfer, const LossPattern& pattern, bool complete, double lost,
            Findings& findings) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kId, transfer);
  finding.severity = severity_of(complete, lost, transfer);
  const double certainty = how_far(static_cast<double>(pattern.losses), kLosses, 100);
  finding.confidence = confidence_of(complete ? 0.8 + 0.17 * certainty : 0.6, transfer);
  finding.seconds_lost = lost;
  finding.claim =
      fmt::format("{} of the segments from {} are lost on the path, {}",
                  format_percent(pattern.share), to_string(transfer.sender()),
                  complete ? "independent of load" : "whether independent of load is not shown");
  finding.evidence = evidence_of(data, pattern);
  finding.refuted_by =
      "losses in bursts while the round-trip time is at its highest, or only at one packet length";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  if (!complete) finding.next_capture = capture_command(transfer.connection, "sender.pcap");
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, const std::vector<Policing>& policing,
                      Findings& findings) {
  const DirectionFacts& data = transfer.data();
  if (data.lost_packets == 0) return;
  const LossPattern pattern = loss_pattern(data);
  if (pattern.losses < kLossesToMention) {
    return silent(findings, kId, transfer,
                  fmt::format("{}; {} are needed", counted(pattern.losses, "loss"), kLosses));
  }
  if (std::string why = other_cause_of_loss(transfer); !why.empty()) {
    return silent(findings, kId, transfer, std::move(why));
  }
  // Whatever chose them: its queue may have.
  if (fills_link(data)) {
    return silent(findings, kId, transfer,
                  fmt::format("{} losses cost nothing: the path was busy all the time, and this "
                              "transfer has its {}",
                              pattern.losses, format_rate(link_bps(data))));
  }
  const Judged judged = judge(transfer, pattern, find_policing(policing, transfer));
  if (judged.excluded) return silent(findings, kId, transfer, judged.why_not);
  // Short of a distribution only the repair itself is known to be lost time.
  const double lost =
      judged.complete ? seconds_lost_to(data, answered_share(pattern)) : repair_s(data);
  if (!judged.complete && flights_die(data, pattern)) {
    return silent(findings, kId, transfer,
                  fmt::format("{} in {}, {} of all segments: bursts die and "
                              "resends pass, chance would spare neither",
                              counted(pattern.losses, "loss"), counted(pattern.episodes, "flight"),
                              format_percent(pattern.share)));
  }
  if (!judged.complete && pattern.episodes < kLossesToMention) {
    return silent(findings, kId, transfer,
                  fmt::format("{} in {}: no loss rate", counted(pattern.losses, "loss"),
                              counted(pattern.episodes, "flight")));
  }
  if (!judged.complete && (!is_material(lost, transfer) || queue_explains(data, pattern))) {
    return silent(findings, kId, transfer, judged.why_not);
  }
  report(transfer, pattern, judged.complete, lost, findings);
}

void inspect(const Case& facts, Findings& findings) {
  const std::vector<Policing>& policing = policing_of(facts, findings);
  for (const Transfer& transfer : transfers_with_data(facts)) {
    inspect_transfer(transfer, policing, findings);
  }
}

}  // namespace

extern const Detector random_loss;
const Detector random_loss{.id = kId,
                           .scope = Scope::direction,
                           .needs = "10 losses and the round-trip times around them",
                           .inspect = inspect};

}  // namespace slowpath::detect::detectors
