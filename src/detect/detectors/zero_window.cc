// SPDX-License-Identifier: Apache-2.0
// zero-window: the receiving application does not read, its buffer fills, the window closes
// (RFC 9293 section 3.8.6). What the user sees: the transfer stands still and goes on by itself.
// Recognised by windows of zero while data was outstanding or pending. Not by windows of zero in
// RST or FIN (the facts leave them out), nor by one short closing, which full buffers cause
// anywhere.
#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/policy.h"
#include "detect/support.h"
#include "detect/window_limit.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "zero-window";

// The catalogue's minimum: more than one episode, or a single one of more than a second.
constexpr std::uint64_t kEpisodes = 2;
constexpr double kOneLongEpisodeS = 1.0;
// One that is shorter is a suspect where it took this long and a share of the transfer that counts.
constexpr double kOneSuspectS = 0.5;

bool is_complete(const WindowFacts& window) {
  return window.zero_episodes >= kEpisodes || window.zero_longest_s > kOneLongEpisodeS;
}

bool is_suspect(const Transfer& transfer) {
  const WindowFacts& window = transfer.data().window;
  return window.zero_longest_s >= kOneSuspectS && is_material(window.zero_s, transfer);
}

double seconds_of(const Transfer& transfer) {
  const WindowFacts& window = transfer.data().window;
  if (window.zero_episodes < kManyCloses) return window.zero_s;
  const WindowLimit full = judge_window(transfer);
  return window.zero_s + (full.limits && full.by_reader ? full.seconds : 0);
}

Finding describe(const Transfer& transfer) {
  const WindowFacts& window = transfer.data().window;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = seconds_of(transfer);
  finding.severity = severity_of(is_complete(window), finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      0.9 + 0.08 * how_far(static_cast<double>(window.zero_episodes), 1, 5), transfer);
  finding.claim = fmt::format(
      "{} stopped reading: its window was closed {} time{} for {} in all, {} at the longest",
      name_receiver(transfer), window.zero_episodes, window.zero_episodes == 1 ? "" : "s",
      format_duration(window.zero_s), format_duration(window.zero_longest_s));
  finding.evidence.push_back(
      shown_by("windows of zero with data outstanding or pending", window.zero,
               {{"zero_window_episodes", static_cast<double>(window.zero_episodes)},
                {"zero_window_s", window.zero_s}}));
  finding.evidence.push_back(shown_by(
      fmt::format("the longest lasted {}{}", format_duration(window.zero_longest_s),
                  window.zero_at_end ? "; it was still closed when the capture ended" : ""),
      {window.zero_longest_begin, window.zero_longest_end}));
  if (window.zero_probes.count > 0) {
    finding.evidence.push_back(shown_by(
        fmt::format("the sender probed the closed window {} times", window.zero_probes.count),
        window.zero_probes));
  }
  finding.refuted_by =
      "the receiving socket's Recv-Q (ss -tn) staying empty while the window is zero";
  finding.wireshark_filter =
      stream_filter(transfer.connection, "tcp.window_size == 0 && !tcp.flags.reset");
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const WindowFacts& window = transfer.data().window;
    if (window.zero.count == 0) continue;
    if (!is_complete(window) && !is_suspect(transfer)) {
      silent(findings, kFault, transfer,
             fmt::format("{} with data pending, the longest {}; {} are needed, or one of "
                         "more than {}",
                         counted(window.zero_episodes, "closing"),
                         format_duration(window.zero_longest_s), kEpisodes,
                         format_duration(kOneLongEpisodeS)));
      continue;
    }
    findings.list.push_back(describe(transfer));
  }
}

}  // namespace

extern const Detector zero_window;
const Detector zero_window{
    .id = kFault, .scope = Scope::direction, .needs = "the receiver's packets", .inspect = inspect};

}  // namespace slowpath::detect::detectors
