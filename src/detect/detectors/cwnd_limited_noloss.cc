// SPDX-License-Identifier: Apache-2.0
// cwnd-limited-noloss: the congestion window is far too small, though nothing is lost and nothing
// queues.
// The user sees a transfer that starts slowly and gets faster all the time. Recognised by a flight
// that grows by about a segment a round trip over many round trips (RFC 5681 section 3.1; CUBIC's
// Reno-friendly region, RFC 9438 section 4.3) although no loss ever ended slow start: it was left
// early (HyStart, RFC 9406), after an idle restart, or with a threshold cached from an earlier
// connection. Look-alikes: a flat flight (sender-limited, rwnd-limited), growth after losses, a
// path that queues.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"
#include "detect/tap.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "cwnd-limited-noloss";
// Shorter series show no line; and so long nobody waits for a window to open by itself.
constexpr std::uint64_t kRounds = 40;
// Segments a round trip: half with delayed ACKs, one without. CUBIC grows faster once it is far
// from where it started, and then the window is soon large enough.
constexpr double kLeastGrowth = 0.35, kMostGrowth = 1.5;
// What it grew by, of its median: else it was not small.
constexpr double kGrownShare = 0.6;
// The receiver's window, which grows with the transfer (Linux: tcp_rcv_space_adjust), was next to
// never full.
constexpr double kFullShare = 0.05;
// A good part of each round trip nothing is sent.
constexpr double kIdleShare = 0.2;
// Nothing queues (as sender-limited).
constexpr double kQuietRatio = 1.2, kQuietSeconds = 0.002;
// Hosts' own time weighs as much below.
constexpr double kLeastRtt = 0.001;
// Who has nothing to send need not grow.
constexpr double kOwnShare = 0.2;

double sent_slowly_s(const DirectionFacts& data) {
  return data.time[TimeOwner::congestion_window] + data.time[TimeOwner::slow_start];
}

std::string why_not(const DirectionFacts& data) {
  if (data.flight_rounds < kRounds || data.segment_size == 0) {
    return fmt::format("{} after slow start; {} are needed",
                       counted(data.flight_rounds, "round trip"), kRounds);
  }
  if (data.lost_packets > 0) {
    return fmt::format("{} lost: losses keep the window small",
                       counted(data.lost_packets, "packet"));
  }
  if (std::string why = taken_for_lost(data); !why.empty()) return why;
  const double segments = data.flight_growth_bytes / data.segment_size;
  if (segments < kLeastGrowth || segments > kMostGrowth) {
    return fmt::format(
        "the flight grows by {:.1f} segments a round trip; {} to {} are the growth "
        "of congestion avoidance",
        segments, kLeastGrowth, kMostGrowth);
  }
  const double grown = data.flight_growth_bytes * static_cast<double>(data.flight_rounds);
  if (grown < kGrownShare * static_cast<double>(data.flight_plateau_bytes)) {
    return fmt::format("it grew by {} to {}: it was not small", format_bytes(grown),
                       format_bytes(static_cast<double>(data.flight_plateau_bytes)));
  }
  const double full = data.time.share(TimeOwner::receive_window);
  if (full > kFullShare) {
    return fmt::format("the receive window was full for {} of the time", format_percent(full));
  }
  const QueueFacts queue = queue_of(data);
  if (!queue.known() || (queue.ratio() > kQuietRatio && queue.added_s() > kQuietSeconds) ||
      queue.base_s < kLeastRtt) {
    return fmt::format(
        "round trips of {} under load, {} at least: the path is full, or too short "
        "to say",
        format_duration(queue.loaded_s), format_duration(queue.base_s));
  }
  const double own =
      data.time.share(TimeOwner::application) + data.time.share(TimeOwner::pacing_or_cpu);
  if (data.flight_idle_share < kIdleShare || own > kOwnShare) {
    return "data does not leave as fast as ACKs allow it to, or flows without a pause";
  }
  return {};
}

void report(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const QueueFacts queue = queue_of(data);
  Finding finding = about(kId, transfer);
  // At least: at the rate that it came to in the end, the same bytes would have taken so much less.
  finding.seconds_lost = sent_slowly_s(data) * (1 - static_cast<double>(data.flight_plateau_bytes) /
                                                        static_cast<double>(data.flight_max_bytes));
  const bool witness = is_at_sender(data);
  finding.severity = severity_of(witness, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      0.7 + 0.2 * how_far(static_cast<double>(data.flight_rounds), kRounds, 4 * kRounds), transfer);
  finding.claim = fmt::format(
      "the congestion window of {} opens by {} a round trip only, for {} round trips, although "
      "nothing is lost and nothing queues",
      to_string(transfer.sender()), format_bytes(data.flight_growth_bytes), data.flight_rounds);
  finding.evidence.push_back(
      shown_by(fmt::format("at most {} in flight (median {}), in a receive window of {}",
                           format_bytes(static_cast<double>(data.flight_max_bytes)),
                           format_bytes(static_cast<double>(data.flight_plateau_bytes)),
                           format_bytes(static_cast<double>(data.window.median_bytes))),
               {},
               {{"flight_growth_bytes", data.flight_growth_bytes},
                {"flight_median_bytes", static_cast<double>(data.flight_plateau_bytes)}}));
  finding.evidence.push_back(shown_by(
      fmt::format("round trips of {} under load, {} at least, no packet lost: the path has room",
                  format_duration(queue.loaded_s), format_duration(queue.base_s)),
      {}, {{"rtt_min_us", queue.base_s * 1e6}, {"rtt_loaded_us", queue.loaded_s * 1e6}}));
  finding.refuted_by = "ss -tin on the sender: a cwnd well above what is in flight";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.bytes_in_flight");
  finding.next_capture = fmt::format("on {}: {} (cwnd, ssthresh); ip tcp_metrics show",
                                     to_string(transfer.sender().address),
                                     socket_command(transfer.receiver().address));
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const DirectionFacts& data = transfer.data();
    if (data.data_packets < kRounds) continue;
    if (std::string why = why_not(data); !why.empty()) {
      silent(findings, kId, transfer, std::move(why));
    } else if (!is_material(sent_slowly_s(data), transfer)) {
      silent(findings, kId, transfer, "it costs next to nothing");
    } else {
      report(transfer, findings);
    }
  }
}

}  // namespace

extern const Detector cwnd_limited_noloss;
const Detector cwnd_limited_noloss{.id = kId,
                                   .scope = Scope::direction,
                                   .needs = "40 round trips after slow start, seen at the sender",
                                   .inspect = inspect};

}  // namespace slowpath::detect::detectors
