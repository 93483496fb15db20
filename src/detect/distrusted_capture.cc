// SPDX-License-Identifier: Apache-2.0
// What a clock that ticks seldom cannot prove, nor two clocks that differ, one for each direction,
// nor a capture of which a large part is missing: whatever is told by round trips, queues, pauses
// and rates. Such a finding stays as a suspect.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/capture_loss.h"
#include "detect/synthesis_steps.h"
#include "detect/tap.h"
#include "facts/clock_error.h"

namespace slowpath::detect {
namespace {

// Detectors of these measure times of the length of a round trip.
constexpr auto kTimed = std::to_array<std::string_view>({"ack-path-congestion",
                                                         "app-limited-sender",
                                                         "app-ping-pong",
                                                         "bufferbloat",
                                                         "client-think-time",
                                                         "congestion-external",
                                                         "congestion-self",
                                                         "cwnd-limited-noloss",
                                                         "delack-single-segment",
                                                         "duplex-mismatch",
                                                         "nagle-delack",
                                                         "path-latency",
                                                         "policer",
                                                         "random-loss",
                                                         "receiver-cpu-drops",
                                                         "reordering",
                                                         "sender-cpu-limited",
                                                         "sender-limited",
                                                         "server-think-time",
                                                         "shaper",
                                                         "short-flow",
                                                         "sndbuf-limited",
                                                         "spurious-retransmission",
                                                         "vm-egress-cap"});

bool is_timed(const Finding& finding) {
  return std::ranges::find(kTimed, finding.fault) != kTimed.end();
}

/// Why the capture does not tell such a thing, and which one would; nothing where it does.
struct Blindness {
  std::string why, next_capture;
};

std::optional<Blindness> blindness(const Transfer& transfer) {
  const ConnectionFacts& connection = transfer.connection;
  if (const std::optional<double> missing = large_capture_loss(transfer.data())) {
    return Blindness{fmt::format("{} of the bytes were acknowledged but never captured: losses and "
                                 "times may be the capture's own",
                                 format_percent(*missing)),
                     complete_capture(connection)};
  }
  if (connection.clock_skew_s > 0) {
    return Blindness{
        fmt::format("the clocks of the two directions differ by {}: answers stand before what they "
                    "answer, and round trips are not to be had",
                    format_duration(connection.clock_skew_s)),
        std::string{kFinerClock}};
  }
  if (transfer.data().rtt.total.min_s >= kTicksThatTell * connection.clock_tick_s)
    return std::nullopt;
  return Blindness{
      fmt::format("the capture's clock ticks every {}, too seldom for round trips that short: this "
                  "needs a finer one",
                  format_duration(connection.clock_tick_s)),
      std::string{kFinerClock}};
}

}  // namespace

void distrust_capture(const Case& facts, std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    if (finding.severity != Severity::fault || !is_timed(finding)) continue;
    const std::optional<Transfer> transfer = transfer_of(facts, finding);
    if (!transfer) continue;
    std::optional<Blindness> blind = blindness(*transfer);
    if (!blind) continue;
    finding.severity = Severity::suspect;
    finding.evidence.push_back(
        {.kind = EvidenceKind::frames,
         .text = std::move(blind->why),
         .frames = {},
         .values = {{"clock_tick_us", transfer->connection.clock_tick_s * 1e6},
                    {"clock_skew_us", transfer->connection.clock_skew_s * 1e6}}});
    if (finding.next_capture.empty()) finding.next_capture = std::move(blind->next_capture);
  }
}

}  // namespace slowpath::detect
