// SPDX-License-Identifier: Apache-2.0
// tail-loss: the last packets of a burst are lost, with nothing behind them to report it.
// The user sees short transfers that now and then take a timeout longer. Recognised by a silence
// after the last data of a burst that only a tail probe or a retransmission timeout ends (RFC 8985
// section 7). Look-alikes: an application's pause (nothing outstanding), a delayed ACK (no resend),
// packets that never pass at all (length, checksums).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/arithmetic/retransmission_timer.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"
#include "detect/tap.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "tail-loss";
// Most of the timeouts' silence must be of tails, or it is something more general.
constexpr double kShareOfTimeouts = 0.5;
// One is an incident, unless it rules the time; two and more are a habit of the path.
constexpr std::uint64_t kTimeouts = 2;
// The original and one resend; with more the path, or the peer, was gone.
constexpr std::uint32_t kTransmissions = 3;
constexpr double kIncidentShare = 0.30;

// A tail that needs three transmissions was no tail: the path, or the peer, was silent.
constexpr std::uint32_t kSilentSends = 3;

/// Tail timeouts that one resend repaired.
struct Tails {
  std::uint64_t count = 0;
  double seconds = 0;
};

Tails tails_of(const DirectionFacts& data) {
  Tails tails{data.tail_timeouts, data.tail_timeout_s};
  for (const Stall& stall : data.stalls) {
    if (stall.owner != TimeOwner::timeout || stall.unanswered_sends < kSilentSends) continue;
    tails.seconds = std::max(0.0, tails.seconds - stall.seconds);
    tails.count -= std::min<std::uint64_t>(tails.count, stall.unanswered_sends - 1);
  }
  return tails;
}

// A timer is a second long (RFC 6298 section 2.4), or three of the longest round trips.
constexpr double kTimerSeconds = 1.0;
constexpr double kTimerRoundTrips = 3;

/// Silence that no timer explains by the transmissions that were seen in it: others were lost
/// before they came here, or the sender's host stood still.
bool outlasts_its_timer(const DirectionFacts& data, const Stall& stall) {
  const double rto_s = std::max(kTimerSeconds, kTimerRoundTrips * data.rtt.total.p95_s);
  const auto resends = static_cast<int>(std::max(1U, stall.unanswered_sends));
  return stall.seconds > arithmetic::retransmission_time_s(rto_s, resends);
}

/// Silences in which the resends were lost as well, or that never ended: more than a lost tail.
double other_silence_s(const DirectionFacts& data) {
  double seconds = 0;
  for (const Stall& stall : data.stalls) {
    if (stall.owner != TimeOwner::timeout) continue;
    if (stall.unanswered_sends >= kTransmissions || !stall.ended || outlasts_its_timer(data, stall))
      seconds += stall.seconds;
  }
  return seconds;
}

void report(const Transfer& transfer, Severity severity, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const Tails tails = tails_of(data);
  const auto timeouts = static_cast<double>(tails.count);
  Finding finding = about(kId, transfer);
  finding.severity = severity;
  finding.confidence = confidence_of(
      severity == Severity::suspect ? 0.55 : 0.75 + 0.2 * how_far(timeouts, 1, 8), transfer);
  finding.seconds_lost = tails.seconds;
  finding.claim = fmt::format(
      "{} time{} the end of a burst from {} was lost and only a timeout repaired it: {} of silence",
      tails.count, tails.count == 1 ? "" : "s", to_string(transfer.sender()),
      format_duration(tails.seconds));
  finding.evidence.push_back(shown_by(
      fmt::format("{} of {} timeouts followed a burst whose end alone was missing", tails.count,
                  data.timeouts),
      data.tail_timeout_frames, {{"tail_timeouts", timeouts}, {"tail_timeout_s", tails.seconds}}));
  const ResendFacts& probes = data.resends[static_cast<std::size_t>(ResendClass::tail_probe)];
  finding.evidence.push_back(
      shown_by(probes.packets > 0 ? fmt::format("{} tail loss probes were sent", probes.packets)
                                  : std::string("the sender sends no tail loss probes"),
               probes.frames, {{"tail_probes", static_cast<double>(probes.packets)}}));
  finding.refuted_by = "duplicate ACKs or SACK during the silence, or nothing outstanding in it";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.rto");
  if (severity == Severity::suspect) {
    finding.next_capture = capture_command(transfer.connection, "sender.pcap");
  }
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const Tails tails = tails_of(data);
  if (tails.count == 0) {
    if (data.timeouts > 0) {
      silent(findings, kId, transfer,
             fmt::format("{}, none of them at the end of a burst alone",
                         counted(data.timeouts, "timeout")));
    }
    return;
  }
  if (tails.seconds < kShareOfTimeouts * data.timeout_s) {
    return silent(findings, kId, transfer,
                  fmt::format("{} of {} timeout silence is of tails",
                              format_duration(tails.seconds), format_duration(data.timeout_s)));
  }
  if (std::string why = other_cause_of_loss(transfer); !why.empty()) {
    return silent(findings, kId, transfer, std::move(why));
  }
  if (data.acked_bytes == 0) {
    return silent(findings, kId, transfer,
                  "no byte was ever acknowledged: no timeout repaired anything");
  }
  if (other_silence_s(data) * 2 > tails.seconds) {
    return silent(findings, kId, transfer,
                  "the resends were lost as well, or never came: more than a tail");
  }
  if (data.superframes.timeout_s * 2 > data.timeout_s) {
    return silent(findings, kId, transfer, "most of the silence follows super-frames");
  }
  if (losses_are_random(data, loss_pattern(data))) {
    return silent(findings, kId, transfer,
                  "losses lie at random: those at the end of a burst are some of them");
  }
  Severity severity = severity_of(shows_originals(data) && data.acks_seen, tails.seconds, transfer);
  const double share = tails.seconds / std::max(active_s(transfer.connection), 1e-9);
  if (tails.count < kTimeouts && share < kIncidentShare) severity = Severity::note;
  report(transfer, severity, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector tail_loss;
const Detector tail_loss{.id = kId,
                         .scope = Scope::direction,
                         .needs =
                             "a capture that shows the originals: at the sender or before "
                             "the loss",
                         .inspect = inspect};

}  // namespace slowpath::detect::detectors
