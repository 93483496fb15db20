// SPDX-License-Identifier: Apache-2.0
// delack-single-segment: one full segment at a time, and each waits for the receiver's delayed ACK.
// The user sees a rate of one segment each 40 to 200 ms, on any path. Receivers acknowledge every
// second segment at once and a lone one when a timer fires (RFC 1122 section 4.2.3.2, RFC 5681
// section 4.2): a sender that may have only one in flight (congestion window of 1, a send buffer
// below two segments) pays the timer for each. Recognised by a full segment alone in flight, a bare
// ACK after a timer's time, and data right behind it. Look-alikes: Nagle (the segment that waits is
// a short one, nagle-delack), a request that is answered late (data comes back instead of a bare
// ACK), the end of a transfer (nobody waits for that ACK), a long path (its handshake is as slow).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/delayed_ack.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "delack-single-segment";
// As for Nagle's waits: so many that their length makes a spike.
constexpr std::uint64_t kWaits = 20;
constexpr std::uint64_t kWaitsToMention = 3;
// Lone segments that one loss leads to. A timeout sets the congestion window to one segment (RFC
// 5681 section 3.1), which doubles from there; BBR goes on longer, because the timer is then the
// rate that it measures.
constexpr std::uint64_t kWaitsPerLoss = 4;

void report(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const double rtt_s = data.rtt.total.min_s;
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(data.lone.seconds, duration_s(transfer.connection));
  const bool complete = data.lone.count >= kWaits;
  finding.severity = severity_of(complete, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      complete ? 0.85 + 0.1 * how_far(static_cast<double>(data.lone.count), kWaits, 100) : 0.6,
      transfer);
  finding.claim = fmt::format(
      "{} had a single full segment in flight {} times and waited {} for its delayed ACK: {} in "
      "all",
      to_string(transfer.sender()), data.lone.count, format_duration(data.lone.timer_median_s),
      format_duration(data.lone.seconds));
  finding.evidence.push_back(shown_by(
      fmt::format("{} times a bare ACK came {} (median) after a segment of {} bytes that was alone "
                  "in flight, and the next data followed it at once",
                  data.lone.count, format_duration(data.lone.timer_median_s), data.segment_size),
      data.lone.ack_frames,
      {{"waits", static_cast<double>(data.lone.count)},
       {"timer_median_us", data.lone.timer_median_s * 1e6}}));
  finding.evidence.push_back(
      shown_by(fmt::format("the round trip is {} at least: the path does not explain it",
                           format_duration(rtt_s)),
               transfer.connection.handshake.syn_ack_frames, {{"rtt_min_us", rtt_s * 1e6}}));
  finding.refuted_by = "ss -tin on the sender: cwnd of 2 and more, and room in the send buffer";
  finding.wireshark_filter =
      stream_filter(transfer.connection, "tcp.len == 0 && tcp.time_delta > 0.03");
  if (!complete) finding.next_capture = capture_command(transfer.connection, "sender.pcap");
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const NagleFacts& lone = transfer.data().lone;
  if (lone.count == 0) return;
  const double rtt_s = transfer.data().rtt.total.min_s;
  if (lone.count < kWaitsToMention || !is_material(lone.seconds, transfer)) {
    return silent(
        findings, kId, transfer,
        fmt::format("{} waited for a delayed ACK, {} in all; {} are needed",
                    counted(lone.count, "lone segment"), format_duration(lone.seconds), kWaits));
  }
  const std::uint64_t lost = transfer.data().lost_packets;
  if (lost * kWaitsPerLoss >= lone.count) {
    return silent(findings, kId, transfer,
                  fmt::format("{} waited for a delayed ACK beside {} losses: those "
                              "keep the congestion window at one segment",
                              counted(lone.count, "lone segment"), lost));
  }
  if (!is_delayed_ack_timer(timer_alone_s(lone.timer_median_s, transfer), rtt_s)) {
    return silent(findings, kId, transfer,
                  fmt::format("the waits of {} (median) are no stack's delayed-ACK timer, or the "
                              "round trip of {} itself",
                              format_duration(lone.timer_median_s), format_duration(rtt_s)));
  }
  report(transfer, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector delack_single_segment;
const Detector delack_single_segment{.id = kId,
                                     .scope = Scope::direction,
                                     .needs = "the handshake's MSS, and both directions",
                                     .inspect = inspect};

}  // namespace slowpath::detect::detectors
