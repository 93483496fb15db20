// SPDX-License-Identifier: Apache-2.0
// bufferbloat: a queue so long that everything on the path waits for this transfer.
// The user sees full throughput and a network in which nothing else reacts. Recognised by the
// round-trip time under load against that of the idle path (RFC 7567, RFC 6349 section 4.2).
// Look-alikes: delayed ACKs and slow receivers add a constant delay at low load as well; a path
// filled by others has its high round-trip time before the flow starts. What it costs is latency:
// each round trip on this path, not the transfer's own rate.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/ack_way.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"
#include "detect/siblings.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "bufferbloat";
// The catalogue: more than three times the idle round trip, and more than 100 ms on top of it,
// which is where speech and games suffer (ITU-T G.114: 150 ms one way for everything).
constexpr double kRatio = 3;
constexpr double kAddedSeconds = 0.100;
constexpr std::uint64_t kSamples = 20;
// The queue stands for a while, it is not one burst's.
constexpr double kLoadedRounds = 5;
// Loss is rare: at more than this the queue is short for its rate and something else is the matter.
constexpr double kLossShare = 0.05;
// Data behind a hole is acknowledged late, and a queue that stands leaves few.
constexpr double kMostRepair = 0.50;
// Bytes that wait, in segments. What holds fewer is no long queue: a few ACKs came late. Slow links
// have longer delays, so that this excuses none of them.
constexpr double kQueuedSegments = 8;
// A hundred packets wait before many an interface, and what they add up to here is below what
// speech suffers from (G.114, as above): a queue of the usual size.
constexpr double kUsualSegments = 100;
constexpr double kUsualSeconds = 0.150;
// A sender that pauses so much has more in the queue at times than its mean rate tells.
constexpr double kPauses = 0.20;

void report(const Transfer& transfer, const QueueFacts& queue, double queue_bytes,
            Findings& findings) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kId, transfer);
  finding.severity = Severity::fault;
  finding.confidence = confidence_of(
      0.8 + 0.17 * std::min(how_far(queue.ratio(), kRatio, 8), how_far(queue.added_s(), 0.1, 0.3)),
      transfer);
  finding.seconds_lost = std::min(queue.added_s(), duration_s(transfer.connection));
  finding.claim = fmt::format(
      "under load each round trip takes {} instead of {}: about {} wait in the bottleneck's queue",
      format_duration(queue.loaded_s), format_duration(queue.base_s), format_bytes(queue_bytes));
  finding.evidence.push_back(
      shown_by(fmt::format("round-trip time {} at least, {} as median {}: {:.1f} times, {} more",
                           format_duration(queue.base_s), format_duration(queue.loaded_s),
                           loaded_when(data), queue.ratio(), format_duration(queue.added_s())),
               {},
               {{"rtt_min_us", queue.base_s * 1e6},
                {"rtt_loaded_us", queue.loaded_s * 1e6},
                {"queue_bytes", queue_bytes}}));
  finding.evidence.push_back(shown_by(
      fmt::format("{} lost: the queue is long, not full", counted(data.lost_packets, "packet")), {},
      {{"lost_packets", static_cast<double>(data.lost_packets)}}));
  finding.refuted_by = "a ping beside the transfer that stays near the idle round trip";
  finding.after_fix = {data.goodput_bps,
                       fmt::format("the bottleneck's rate stays; the round trip returns to {}",
                                   format_duration(queue.base_s))};
  finding.wireshark_filter = stream_filter(
      transfer.connection, fmt::format("tcp.analysis.ack_rtt > {:.3f}", queue.base_s * kRatio));
  findings.list.push_back(std::move(finding));
}

/// High with little in flight as well: then it is not this flow that makes the queue. Others of the
/// same two hosts make it with this one. Away from the sender the flight is computed, and where
/// round trips are shorter with much of it than over all, it does not tell little from much; then
/// the handshake says whether the queue was there before.
bool is_made_by_others(const Transfer& transfer, const QueueFacts& queue, Siblings& siblings) {
  const RttSet& rtt = transfer.data().rtt;
  if (rtt.idle_s <= 0 || rtt.idle_s * 2 <= queue.loaded_s) return false;
  const bool flight_tells = queue.loaded_s >= rtt.total.median_s;
  const bool free_before = rtt.handshake_s && *rtt.handshake_s * kRatio < queue.loaded_s;
  if (!flight_tells && free_before) return false;
  return siblings.that_move_as_much(transfer) == 0;
}

void inspect_transfer(const Transfer& transfer, Siblings& siblings, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const QueueFacts queue = queue_of(data);
  if (std::string why = why_no_queue_known(data, queue, kSamples); !why.empty())
    return silent(findings, kId, transfer, std::move(why));
  if (queue.ratio() <= kRatio || queue.added_s() <= kAddedSeconds) {
    return silent(findings, kId, transfer,
                  fmt::format("round trip {} idle, {} loaded; more than 3 times and 100 ms are "
                              "needed",
                              format_duration(queue.base_s), format_duration(queue.loaded_s)));
  }
  if (queue_is_on_ack_way(data)) {
    return silent(findings, kId, transfer, "the queue is on the ACKs' way back, not on the data's");
  }
  if (is_made_by_others(transfer, queue, siblings)) {
    return silent(findings, kId, transfer,
                  fmt::format("with at most two segments in flight the round trip is {} as well",
                              format_duration(data.rtt.idle_s)));
  }
  const double queue_bytes = data.goodput_bps / 8 * queue.added_s();
  const double segments = queue_bytes / std::max(1U, data.segment_size);
  const bool is_usual = segments < kUsualSegments && queue.added_s() < kUsualSeconds &&
                        data.time.share(TimeOwner::application) < kPauses;
  if (segments < kQueuedSegments || is_usual) {
    return silent(
        findings, kId, transfer,
        fmt::format("round trips of {} at this rate are a queue of {}: no more than usual",
                    format_duration(queue.loaded_s), format_bytes(queue_bytes)));
  }
  const double loaded_time = data.transfer_s - data.timeout_s;
  if (loaded_time < kLoadedRounds * queue.loaded_s) {
    return silent(findings, kId, transfer, "the transfer ends before a queue could stand");
  }
  const double repair = data.time.share(TimeOwner::loss_recovery);
  if (repair > kMostRepair) {
    return silent(findings, kId, transfer,
                  fmt::format("{} of the time holes were repaired: what was behind them was "
                              "acknowledged late",
                              format_percent(repair)));
  }
  if (loss_pattern(data).share > kLossShare) {
    return silent(
        findings, kId, transfer,
        fmt::format("{} lost packets: not a long queue but a failing one", data.lost_packets));
  }
  report(transfer, queue, queue_bytes, findings);
}

void inspect(const Case& facts, Findings& findings) {
  const std::vector<Transfer> transfers = transfers_with_data(facts);
  Siblings siblings(transfers);
  for (const Transfer& transfer : transfers) {
    if (transfer.data().data_packets >= kSamples) inspect_transfer(transfer, siblings, findings);
  }
}

}  // namespace

extern const Detector bufferbloat;
const Detector bufferbloat{.id = kId,
                           .scope = Scope::direction,
                           .needs = "20 round-trip times, of the idle and of the loaded path",
                           .inspect = inspect};

}  // namespace slowpath::detect::detectors
