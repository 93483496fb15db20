// SPDX-License-Identifier: Apache-2.0
// rwnd-limited: the receive window is smaller than the bandwidth-delay product (RFC 7323 section
// 1.1: rate <= window / round trip). What the user sees: a steady rate well below the link's, the
// worse the farther away, with no loss. Recognised by the time in which less than one segment of
// window was left. Not when the round trip has grown under load: then the window only fills a
// queue. Its special cases (no scaling, a fixed 64 KiB, an application that does not read) are
// detectors of their own.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/window_limit.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "rwnd-limited";

// A guessed scale is the least that leaves room for the flight, so that the window is less than
// twice the flight: of so few segments, that one more has no room is likely.
constexpr std::uint64_t kGuessedSegments = 16;

bool is_window_of_the_guess(const DirectionFacts& data) {
  return data.window.knowledge == ScaleKnowledge::guessed &&
         data.window.max_bytes < kGuessedSegments * std::max(1U, data.segment_size);
}

Finding describe(const Transfer& transfer, const WindowLimit& limit) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = limit.seconds;
  finding.severity = severity_of(limit.complete, limit.seconds, transfer);
  finding.confidence = confidence_of(0.75 + 0.2 * how_far(limit.share, 0.1, 0.7), transfer);
  finding.claim =
      limit.by_reader
          ? fmt::format(
                "data that {} has not read narrows its window, {} at its widest, and the "
                "sender waits for it {} of the time",
                name_receiver(transfer), format_bytes(limit.window_bytes),
                format_percent(limit.share))
          : fmt::format(
                "the window of {} never opens beyond {}, and the sender waits for it {} of "
                "the time",
                name_receiver(transfer), format_bytes(limit.window_bytes),
                format_percent(limit.share));
  add_window_evidence(transfer, limit, finding);
  if (limit.by_reader) {
    finding.remedies_of = "zero-window";
    finding.evidence.push_back(
        shown_by("a larger buffer would fill with unread data as well: it helps only where the "
                 "application reads fast enough on the whole",
                 {}));
  }
  finding.refuted_by =
      limit.by_reader ? "a receive queue (Recv-Q of ss) that stays empty while the window is narrow"
                      : "a larger receive buffer that leaves the rate as it is";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.window_full");
  if (finding.severity == Severity::suspect) {
    finding.next_capture = capture_from_handshake(transfer.connection);
    finding.evidence.push_back(shown_by(
        fmt::format("{} round trips were seen; the window's scale is {}", data.flight_rounds,
                    data.window.knowledge == ScaleKnowledge::guessed ? "guessed" : "known"),
        {}));
  }
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const WindowLimit limit = judge_window(transfer);
    if (!limit.limits) {
      if (limit.seconds > 0) silent(findings, kFault, transfer, limit.why_not);
      continue;
    }
    if (is_window_of_the_guess(transfer.data())) {
      silent(findings, kFault, transfer,
             fmt::format("the handshake was not captured, and the least scale that allows the "
                         "flight makes a window of {}: that it is filled says nothing",
                         format_bytes(limit.window_bytes)));
      continue;
    }
    findings.list.push_back(describe(transfer, limit));
  }
}

}  // namespace

extern const Detector rwnd_limited;
const Detector rwnd_limited{.id = kFault,
                            .scope = Scope::direction,
                            .needs = "the handshake, and 10 round trips",
                            .inspect = inspect};

}  // namespace slowpath::detect::detectors
