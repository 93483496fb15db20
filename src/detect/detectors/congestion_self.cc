// SPDX-License-Identifier: Apache-2.0
// congestion-self: the flow fills the bottleneck's queue until it overflows.
// The user sees a saw-tooth: latency climbs, then a burst of losses and a pause. Recognised by a
// round-trip time that climbs with the flight and by losses that come in bursts when it is high
// (Sundaresan et al., IMC 2017). Look-alikes: a queue that is full before the flow starts (swing
// small), a policer (no queue), random loss (losses alone, at any round-trip time). A transfer that
// fills its link with a moderate queue and loses nothing is healthy. Where only the ranks of round
// trips before losses speak of a queue, seen from afar, it is a suspect.
#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/ack_way.h"
#include "detect/bucket_books.h"
#include "detect/full_path.h"
#include "detect/loss_chance.h"
#include "detect/loss_pattern.h"
#include "detect/loss_time.h"
#include "detect/overflow_toll.h"
#include "detect/policing.h"
#include "detect/policy.h"
#include "detect/short_queue.h"
#include "detect/siblings.h"
#include "detect/tap.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "congestion-self";
// Round-trip times that show a swing.
constexpr std::uint64_t kSamples = 10;
// The queue at least halves the path's own speed of reaction ...
constexpr double kRatio = 1.5;
// ... and people notice it (policy.h: what matters in time).
constexpr double kAddedSeconds = kMaterialSeconds;
// Part of the time in which the flow waits for that queue.
constexpr double kBottleneckShare = 0.10;
constexpr double kStandingShare = 0.30;
// Queue overflow drops several packets of a flight, while the queue is full.
constexpr std::uint64_t kLosses = 3;
constexpr double kRank = 0.6;

// So many losses in so many flights tell when they come, and these come at short round trips:
// chance leaves one half. Those of one flight are one event, and its round trip was measured before
// the flight filled the queue.
constexpr std::uint64_t kRanksThatTell = 10, kFlightsThatTell = 5;
constexpr double kLowRank = 0.45;

bool overflows(const LossPattern& pattern) {
  if (pattern.losses < kLosses) return false;
  const bool tells = pattern.ranked >= kRanksThatTell && pattern.episodes >= kFlightsThatTell;
  if (tells && pattern.mean_rank < kLowRank) return false;
  const bool bursts = pattern.losses >= 2 * pattern.episodes;
  const bool high = pattern.ranked > 0 && pattern.mean_rank >= kRank;
  return bursts || high;
}

void report(const Transfer& transfer, const QueueFacts& queue, const LossPattern& pattern,
            Severity severity, double lost, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kId, transfer);
  finding.severity = severity;
  finding.confidence = confidence_of(
      0.75 + 0.2 * how_far(queue.ratio(), kRatio, 4) * how_far(pattern.mean_rank, 0.5, 0.9),
      transfer);
  finding.seconds_lost = lost;
  finding.claim = fmt::format(
      "the flow fills the queue of its bottleneck: round trips of {} grow to {} under its own "
      "load, "
      "and {} packets are lost when it is full",
      format_duration(queue.base_s), format_duration(queue.loaded_s), pattern.losses);
  finding.evidence.push_back(shown_by(
      fmt::format("round-trip time {} at least, {} as median {}", format_duration(queue.base_s),
                  format_duration(queue.loaded_s), loaded_when(data)),
      {}, {{"rtt_min_us", queue.base_s * 1e6}, {"rtt_loaded_us", queue.loaded_s * 1e6}}));
  finding.evidence.push_back(shown_by(
      fmt::format("{} in {}; mean rank of the round-trip time before them {:.2f}",
                  counted(pattern.losses, "loss"), counted(pattern.episodes, "burst"),
                  pattern.mean_rank),
      pattern.originals,
      {{"lost_packets", static_cast<double>(pattern.losses)}, {"mean_rank", pattern.mean_rank}}));
  finding.refuted_by = "a round-trip time as high before the flow starts or after it ends";
  finding.after_fix.basis = "the bottleneck's rate stays, what goes is its queue";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.ack_rtt");
  findings.list.push_back(std::move(finding));
}

/// Why the round trips tell nothing of a queue on the data's way; empty when they do.
std::string why_unseen(const DirectionFacts& data, const QueueFacts& queue) {
  if (std::string why = why_no_queue_known(data, queue, kSamples); !why.empty()) return why;
  if (queue_is_on_ack_way(data)) return "the queue is on the ACKs' way back, not on the data's";
  return may_have_been_late(data);
}

void inspect_short_queue(const Transfer& transfer, const QueueFacts& queue, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const double waited =
      data.time[TimeOwner::loss_recovery] + data.timeout_s - outage_s(data) + idle_link_s(data);
  const double lost = std::min(waited, below_its_best_s(data));
  report(transfer, queue, loss_pattern(data),
         is_material(lost, transfer) ? Severity::fault : Severity::note, lost, findings);
}

/// Losses at the longest round trips, which grow by less than what must wait in a queue: away from
/// the sender it may be too short to show, or what is lost is chosen otherwise.
bool suspect_unseen_queue(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const LossPattern pattern = loss_pattern(data);
  const std::string when = losses_come_when_full(data);
  const double repair_s = loss_s(data) - outage_s(data);
  const bool grows = data.rtt.total.p95_s - least_rtt_s(data.rtt) >= kShortQueueSeconds;
  if (is_at_sender(data) || when.empty() || !grows || pattern.share > kMostLost) return false;
  const double lost_s = std::min(repair_s + idle_link_s(data), below_its_best_s(data));
  if (!is_material(repair_s, transfer) || !is_material(lost_s, transfer)) return false;
  if (!other_cause_of_loss(transfer).empty()) return false;
  if (!why_not_short_queue(data).empty()) return false;
  Finding finding = about(kId, transfer);
  finding.severity = Severity::suspect;
  finding.confidence = confidence_of(0.6, transfer);
  finding.seconds_lost = lost_s;
  finding.claim = fmt::format(
      "a queue too short to show may overflow: {} packets from {} are lost, most of them when "
      "round "
      "trips are longest",
      pattern.losses, to_string(transfer.sender()));
  finding.evidence.push_back(
      shown_by(when, pattern.originals, {{"lost_packets", static_cast<double>(pattern.losses)}}));
  finding.refuted_by = "losses at any round trip, or after a fixed amount of data at any rate";
  finding.next_capture = fmt::format("on {}: {}", to_string(transfer.sender().address),
                                     capture_command(transfer.connection, "sender.pcap"));
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  findings.list.push_back(std::move(finding));
  return true;
}

/// A queue that the round trips show; `full_s` is the round trip when it is full.
void inspect_long_queue(const Transfer& transfer, const QueueFacts& queue, double full_s,
                        Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const LossPattern pattern = loss_pattern(data);
  if (!overflows(pattern) || losses_are_random(data, pattern)) {
    return silent(findings, kId, transfer,
                  fmt::format("a queue of {} without overflow ({} losses) is how a link is filled",
                              format_duration(queue.added_s()), pattern.losses));
  }
  if (std::string why = other_cause_of_loss(transfer); !why.empty()) {
    return silent(findings, kId, transfer, std::move(why));
  }
  // One flight that fills a queue for the first time may lose half of itself; not each of many.
  if (pattern.episodes >= kFlightsThatTell && resends_are_spared(data, pattern)) {
    return silent(findings, kId, transfer,
                  fmt::format("{} of the packets are lost, and yet {} were reached: a full queue "
                              "takes resends as well",
                              format_percent(pattern.share), format_rate(data.goodput_bps)));
  }
  const double repair = repair_toll_s(data);
  // On a link that it keeps full what only the longest round trips show costs nobody anything.
  const double added_s = fills_link(data) ? queue.added_s() : full_s - queue.base_s;
  const bool standing =
      added_s >= kAddedSeconds && data.time.share(TimeOwner::bottleneck) >= kStandingShare;
  const bool fault = is_material(repair, transfer) || standing;
  report(transfer, queue, pattern, fault ? Severity::fault : Severity::note,
         std::max(repair, standing ? queue.added_s() : 0), findings);
}

/// The queue that they share may be short, and overflow whatever this one's own flight is: what
/// says that the path is full is the sum.
void report_together(const Transfer& transfer, const LossPattern& pattern, std::size_t others,
                     Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const double path_bps = full_path_bps(data);
  const double waited = loss_s(data) - outage_s(data) + kept_small_s(data);
  Finding finding = about(kId, transfer);
  finding.seconds_lost =
      std::clamp(waited, 0.0, data.transfer_s * (1 - std::min(1.0, data.goodput_bps / path_bps)));
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      0.75 + 0.15 * how_far(static_cast<double>(pattern.losses), kLosses, 50), transfer);
  finding.claim = fmt::format(
      "with {} more between the same hosts this transfer fills the path of {}: it has {} of it, "
      "and {} packets are lost where they meet",
      others, format_rate(path_bps), format_rate(data.goodput_bps), pattern.losses);
  finding.evidence.push_back(shown_by(
      fmt::format("{} trains of segments agree that the path carries {}; all of them together move "
                  "{} of that and more",
                  format_count(data.trains.trains), format_rate(path_bps),
                  format_percent(kPathFilled)),
      {}, {{"path_bps", path_bps}, {"goodput_bps", data.goodput_bps}}));
  finding.evidence.push_back(shown_by(
      fmt::format("{} in {}", counted(pattern.losses, "loss"), counted(pattern.episodes, "burst")),
      pattern.originals, {{"lost_packets", static_cast<double>(pattern.losses)}}));
  finding.refuted_by = "as many losses, and no higher rate, of one of them alone";
  finding.after_fix = {std::nullopt, "the path is full: more for this one is less for the others",
                       Bound::unknown};
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  findings.list.push_back(std::move(finding));
}

/// Losses that no queue of this flow's own explains.
bool inspect_together(const Transfer& transfer, Siblings& siblings, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const LossPattern pattern = loss_pattern(data);
  if (pattern.losses < kLosses || losses_are_random(data, pattern)) return false;
  if (!other_cause_of_loss(transfer).empty()) return false;
  const std::size_t others = that_fill_its_path(transfer, siblings);
  if (others > 0) report_together(transfer, pattern, others, findings);
  return others > 0;
}

void inspect_transfer(const Transfer& transfer, const Policing* policing, Siblings& siblings,
                      Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const QueueFacts queue = queue_of(data);
  if (std::string why = why_unseen(data, queue); !why.empty())
    return silent(findings, kId, transfer, std::move(why));
  // The queue when it is full, before it overflows: the high end of the saw-tooth.
  const double full_s = std::max(queue.loaded_s, data.rtt.total.p95_s);
  const bool climbs = queue_builds(queue) && full_s >= kRatio * queue.base_s;
  // A path that overflows is at its rate then; losses at any rate are not its queue's.
  const bool at_any_rate = policing != nullptr && losses_ignore_rate(*policing);
  const bool unseen = is_at_sender(data) && !climbs && !at_any_rate && overflows_unseen(data);
  if ((overflows_short_queue(data, policing) || unseen) && !bursts_outpace(data)) {
    if (std::string why = why_not_short_queue(data); !why.empty())
      return silent(findings, kId, transfer, std::move(why));
    if (other_cause_of_loss(transfer).empty())
      return inspect_short_queue(transfer, queue, findings);
  }
  const double queued_share = data.time.share(TimeOwner::bottleneck);
  if (!climbs || queued_share < kBottleneckShare) {
    if (inspect_together(transfer, siblings, findings)) return;
    const bool by_tokens = policing != nullptr && policing->fits;
    if (!climbs && !at_any_rate && !by_tokens && suspect_unseen_queue(transfer, findings)) return;
    return silent(findings, kId, transfer,
                  fmt::format("no queue to speak of: round trip {} at least, {} under load, {} of "
                              "the time spent in it",
                              format_duration(queue.base_s), format_duration(queue.loaded_s),
                              format_percent(queued_share)));
  }
  inspect_long_queue(transfer, queue, full_s, findings);
}

void inspect(const Case& facts, Findings& findings) {
  const std::vector<Policing>& judged = policing_of(facts, findings);
  const std::vector<Transfer> transfers = transfers_with_data(facts);
  Siblings siblings(transfers);
  for (const Transfer& transfer : transfers) {
    if (transfer.data().data_packets < kSamples) continue;
    inspect_transfer(transfer, find_policing(judged, transfer), siblings, findings);
  }
}

}  // namespace

extern const Detector congestion_self;
const Detector congestion_self{.id = kId,
                               .scope = Scope::direction,
                               .needs = "10 round-trip times and the flight",
                               .inspect = inspect};

}  // namespace slowpath::detect::detectors
