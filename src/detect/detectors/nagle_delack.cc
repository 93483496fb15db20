// SPDX-License-Identifier: Apache-2.0
// nagle-delack: Nagle's algorithm waits for an ACK that the peer delays.
// The user sees small requests that each take 40 or 200 ms on a path that is much faster.
// Recognised by a small segment, a pause of the length of a delayed-ACK timer, a bare ACK, and the
// next small segment at once (RFC 896, RFC 1122 sections 4.2.3.2 and 4.2.3.4). Look-alikes: a path
// with that round trip (the handshake tells), an application that pauses (no ACK before its next
// data).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/delayed_ack.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "nagle-delack";
// The catalogue: gaps that make a spike.
constexpr std::uint64_t kGaps = 20;
constexpr std::uint64_t kGapsToMention = 3;

void report(const Transfer& transfer, bool complete, Findings& findings) {
  const NagleFacts& nagle = transfer.data().nagle;
  const double rtt_s = transfer.data().rtt.total.min_s;
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(nagle.seconds, duration_s(transfer.connection));
  finding.severity = severity_of(complete, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      complete ? 0.85 + 0.1 * how_far(static_cast<double>(nagle.count), kGaps, 100) : 0.6,
      transfer);
  finding.claim = fmt::format(
      "{} held back small segments {} times until a delayed ACK came after {}: {} in all",
      to_string(transfer.sender()), nagle.count, format_duration(nagle.timer_median_s),
      format_duration(nagle.seconds));
  finding.evidence.push_back(shown_by(
      fmt::format("{} times a bare ACK came {} (median) after a small segment, and the next small "
                  "segment followed it at once",
                  nagle.count, format_duration(nagle.timer_median_s)),
      nagle.ack_frames,
      {{"gaps", static_cast<double>(nagle.count)},
       {"timer_median_us", nagle.timer_median_s * 1e6}}));
  finding.evidence.push_back(
      shown_by(fmt::format("the round trip is {} at least: the path does not explain it",
                           format_duration(rtt_s)),
               transfer.connection.handshake.syn_ack_frames, {{"rtt_min_us", rtt_s * 1e6}}));
  finding.refuted_by = "TCP_NODELAY set on the sending socket";
  finding.wireshark_filter =
      stream_filter(transfer.connection, "tcp.len == 0 && tcp.time_delta > 0.03");
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const NagleFacts& nagle = transfer.data().nagle;
  if (nagle.count == 0) return;
  const double rtt_s = transfer.data().rtt.total.min_s;
  if (nagle.count < kGapsToMention || !is_material(nagle.seconds, transfer)) {
    return silent(findings, kId, transfer,
                  fmt::format("{} for a delayed ACK, {} in all; {} are needed",
                              counted(nagle.count, "wait"), format_duration(nagle.seconds), kGaps));
  }
  if (!is_delayed_ack_timer(timer_alone_s(nagle.timer_median_s, transfer), rtt_s)) {
    return silent(findings, kId, transfer,
                  fmt::format("the waits of {} (median) are no stack's delayed-ACK timer, or the "
                              "round trip of {} itself",
                              format_duration(nagle.timer_median_s), format_duration(rtt_s)));
  }
  report(transfer, nagle.count >= kGaps, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector nagle_delack;
const Detector nagle_delack{
    .id = kId, .scope = Scope::direction, .needs = "20 waits, both directions", .inspect = inspect};

}  // namespace slowpath::detect::detectors
