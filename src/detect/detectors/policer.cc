// SPDX-License-Identifier: Apache-2.0
// policer: a token bucket drops what exceeds its rate, and queues nothing.
// The user sees a fast beginning, then a rate that no number of connections raises, at a high price
// in resends. Recognised by fitting a token bucket to all that was sent between two hosts: losses
// find it empty, what passes does not (Flach et al., SIGCOMM 2016), and round trips have not grown
// before a loss. Look-alikes: a shaper or a short queue drops by the same books but delays first;
// random loss finds tokens as often as not.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/both_ways.h"
#include "detect/loss_pattern.h"
#include "detect/policing.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "policer";

/// The bucket rules from its first loss on: what is repaired, and what waits for a window that the
/// losses keep small.
double seconds_lost_to(const DirectionFacts& data) {
  return data.time[TimeOwner::loss_recovery] + data.time[TimeOwner::timeout] +
         data.time[TimeOwner::congestion_window] + data.time[TimeOwner::bottleneck];
}

Evidence evidence_of_bucket(const Policing& policing, const LossPattern& pattern) {
  const arithmetic::TokenBucket& bucket = policing.bucket;
  return shown_by(
      fmt::format("a bucket of {} filled at {} is empty at {} of what was lost, and at {} of what "
                  "passed",
                  format_bytes(bucket.burst_bytes), format_rate(bucket.rate_bytes_per_s * 8),
                  format_percent(1 - bucket.lost_with_tokens),
                  format_percent(bucket.passed_near_empty)),
      pattern.originals,
      {{"bucket_rate_bps", bucket.rate_bytes_per_s * 8},
       {"bucket_bytes", bucket.burst_bytes},
       {"lost_with_tokens", bucket.lost_with_tokens},
       {"passed_without_tokens", bucket.passed_without}});
}

/// Chunk by chunk, so that it can be compared with what is published (Flach et al. judge each
/// alone).
Evidence evidence_of_chunks(const Policing& policing, const ChunkFacts& chunks) {
  return shown_by(
      fmt::format("{} of {} chunks of this direction (what was sent between two messages of the "
                  "other end) lost something{}",
                  chunks.lossy, chunks.count, policing.fits ? ": policed" : ""),
      {},
      {{"chunks", static_cast<double>(chunks.count)},
       {"chunks_lossy", static_cast<double>(chunks.lossy)},
       {"chunks_policed", policing.fits ? static_cast<double>(chunks.lossy) : 0.0}});
}

void report(const Policing& policing, const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const LossPattern pattern = loss_pattern(data);
  const arithmetic::TokenBucket& bucket = policing.bucket;
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(seconds_lost_to(data), duration_s(transfer.connection));
  finding.severity = severity_of(policing.fits, finding.seconds_lost, transfer);
  const double certain = how_far(static_cast<double>(policing.losses), 15, 60);
  finding.confidence = confidence_of(
      policing.fits ? 0.75 + 0.2 * certain * (1 - 4 * bucket.lost_with_tokens) : 0.6, transfer);
  finding.claim = fmt::format(
      "what exceeds about {} is dropped at once, not queued: {} of {} packets of {} are lost",
      format_rate(bucket.rate_bytes_per_s * 8), data.lost_packets, data.data_packets,
      to_string(transfer.sender()));
  finding.evidence.push_back(evidence_of_bucket(policing, pattern));
  finding.evidence.push_back(shown_by(
      fmt::format("before losses the round trip had grown by {}; a queue that overflows so would "
                  "add {}",
                  format_duration(policing.rise_s), format_duration(policing.queue_s)),
      pattern.resends,
      {{"rtt_rise_us", policing.rise_s * 1e6}, {"queue_would_add_us", policing.queue_s * 1e6}}));
  if (data.chunks.lossy > 0) finding.evidence.push_back(evidence_of_chunks(policing, data.chunks));
  if (policing.transfers.size() > 1) {
    finding.evidence.push_back(
        shown_by(fmt::format("{} transfers between the two hosts share it and were judged together",
                             policing.transfers.size()),
                 {}, {{"transfers", static_cast<double>(policing.transfers.size())}}));
  }
  finding.refuted_by = "round trips that grow before losses, or losses well below that rate";
  finding.after_fix = {bucket.rate_bytes_per_s * 8,
                       "nothing in the capture shows what the path would carry without the policer",
                       Bound::at_least};
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  if (!policing.fits) finding.next_capture = capture_command(transfer.connection, "sender.pcap");
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const Policing& policing : policing_of(facts, findings)) {
    for (const Transfer& transfer : policing.transfers) {
      if (!policing.fits && !policing.may_fit) {
        silent(findings, kId, transfer, policing.why_not);
      } else if (std::string why = other_cause_of_loss(transfer); !why.empty()) {
        silent(findings, kId, transfer, std::move(why));
      } else if (const BothWays ways = both_ways_of(transfer);
                 losses_keep_to_both_ways(ways) && ways.as_fast_alone()) {
        silent(findings, kId, transfer,
               "losses keep to the times in which the other way carries data, and it sends as fast "
               "alone: a bucket asks for none of that");
      } else {
        if (!policing.fits && !is_material(seconds_lost_to(transfer.data()), transfer)) continue;
        report(policing, transfer, findings);
      }
    }
  }
}

}  // namespace

extern const Detector policer;
const Detector policer{.id = kId,
                       .scope = Scope::direction,
                       .needs = "15 losses in 5 flights, and the round-trip times around them",
                       .inspect = inspect};

}  // namespace slowpath::detect::detectors
