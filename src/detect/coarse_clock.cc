// SPDX-License-Identifier: Apache-2.0
// What a clock that ticks seldom cannot prove: whatever is told by round trips, queues, pauses and
// rates within a tick or a few. Such a finding stays as a suspect.
#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/synthesis_steps.h"

namespace slowpath::detect {
namespace {

// A time of so many ticks is wrong by a quarter at most.
constexpr double kTicks = 4;

// Detectors of these measure times of the length of a round trip.
constexpr auto kTimed = std::to_array<std::string_view>({"ack-path-congestion",
                                                         "app-limited-sender",
                                                         "bufferbloat",
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
                                                         "shaper",
                                                         "short-flow",
                                                         "sndbuf-limited",
                                                         "spurious-retransmission",
                                                         "vm-egress-cap"});

bool is_timed(const Finding& finding) {
  return std::ranges::find(kTimed, finding.fault) != kTimed.end();
}

/// Seconds of the tick where the clock is too coarse for what happened within a round trip; 0 else.
double blinding_tick_s(const Case& facts, const Finding& finding) {
  const std::optional<Transfer> transfer = transfer_of(facts, finding);
  if (!transfer) return 0;
  const double tick_s = transfer->connection.clock_tick_s;
  return transfer->data().rtt.total.median_s < kTicks * tick_s ? tick_s : 0;
}

}  // namespace

void distrust_coarse_clocks(const Case& facts, std::vector<Finding>& findings) {
  for (Finding& finding : findings) {
    if (finding.severity != Severity::fault || !is_timed(finding)) continue;
    const double tick_s = blinding_tick_s(facts, finding);
    if (tick_s <= 0) continue;
    finding.severity = Severity::suspect;
    finding.evidence.push_back(
        {.kind = EvidenceKind::frames,
         .text = fmt::format("the capture's clock ticks every {}, too seldom for round trips that "
                             "short: this needs a finer one",
                             format_duration(tick_s)),
         .frames = {},
         .values = {{"clock_tick_us", tick_s * 1e6}}});
    if (finding.next_capture.empty()) {
      finding.next_capture =
          "the same with another program or host, whose clock tells microseconds apart: tcpdump "
          "--time-stamp-precision=micro";
    }
  }
}

}  // namespace slowpath::detect
