// SPDX-License-Identifier: Apache-2.0
// rwnd-fixed-64k: receive auto-tuning is off, and the window never exceeds 64 KiB although scaling
// was agreed. What the user sees: 65 535 bytes a round trip, N streams give N times as much.
// Recognised by a window that stands between 60 000 and 65 535 bytes and does not grow while the
// application keeps up (else it would close: zero-window). 64 240 and 65 160 are 44 and 45
// segments, as Windows and Linux round. Without the option in the handshake it is wscale-absent.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/window_limit.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "rwnd-fixed-64k";

constexpr std::uint64_t kLowestBytes = 60'000;
constexpr std::uint64_t kHighestBytes = 65'536;  // 512 << 7: 64 KiB as a scaled field says it

// A window that mostly lies below its maximum moves: that is a slow reader.
constexpr double kConstantShare = 0.9;

/// By a guessed scale of nothing it may as well not have been agreed.
bool scales(const WindowFacts& window) {
  return window.knowledge == ScaleKnowledge::negotiated ||
         (window.knowledge == ScaleKnowledge::guessed && window.shift > 0);
}

bool is_fixed_at_64k(const WindowFacts& window) {
  return window.max_bytes >= kLowestBytes && window.max_bytes <= kHighestBytes &&
         static_cast<double>(window.median_bytes) >=
             kConstantShare * static_cast<double>(window.max_bytes);
}

Finding describe(const Transfer& transfer, const WindowLimit& limit) {
  const WindowFacts& window = transfer.data().window;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = limit.seconds;
  finding.severity = severity_of(limit.complete, limit.seconds, transfer);
  finding.confidence = confidence_of(0.75 + 0.2 * how_far(limit.share, 0.1, 0.7), transfer);
  finding.claim = fmt::format(
      "the window of {} stands at {} and never grows, although scaling by {} bits was agreed",
      name_receiver(transfer), format_bytes(limit.window_bytes), window.shift);
  finding.evidence.push_back(
      shown_by(fmt::format("half of all windows are {} or more, none is above {}",
                           format_bytes(static_cast<double>(window.median_bytes)),
                           format_bytes(limit.window_bytes)),
               window.at_edge,
               {{"window_median_bytes", static_cast<double>(window.median_bytes)},
                {"window_max_bytes", limit.window_bytes}}));
  add_window_evidence(transfer, limit, finding);
  finding.refuted_by = "a window above 64 KiB on another connection to the same application";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.window_full");
  if (finding.severity == Severity::suspect) {
    finding.next_capture = capture_from_handshake(transfer.connection);
  }
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const WindowFacts& window = transfer.data().window;
    if (!scales(window) || !is_fixed_at_64k(window)) continue;
    if (window.zero.count > 0) {
      silent(findings, kFault, transfer, "the window closed: the reader is slow");
      continue;
    }
    const WindowLimit limit = judge_window(transfer);
    if (!limit.limits) {
      silent(findings, kFault, transfer, limit.why_not);
      continue;
    }
    findings.list.push_back(describe(transfer, limit));
  }
}

}  // namespace

extern const Detector rwnd_fixed_64k;
const Detector rwnd_fixed_64k{.id = kFault,
                              .scope = Scope::direction,
                              .needs = "the handshake, and 10 round trips",
                              .inspect = inspect};

}  // namespace slowpath::detect::detectors
