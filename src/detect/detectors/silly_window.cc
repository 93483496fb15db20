// SPDX-License-Identifier: Apache-2.0
// silly-window: the window opens by less than a segment at a time, and segments of that size
// follow. The user sees a transfer that crawls in small packets although much is waiting to be
// sent. Recognised by segments shorter than a full one that end exactly where the window does,
// after it moved by less than a segment (RFC 813; both ends should avoid it: RFC 9293
// section 3.8.6.2, RFC 1122 section 4.2.3.3). Look-alikes: a program that writes little at a time
// (the window is open then), a window that is small but opens by whole segments (rwnd-limited), a
// closed one that opens wide at last (zero-window).
#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/window_limit.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "silly-window";
// The catalogue asks for a sequence: a habit, not the odd end of a window.
constexpr std::uint64_t kSegments = 20;
// Of the data packets: else the others carry the transfer.
constexpr double kShare = 0.3;

// Windows that are so much smaller than the one in the SYN, all of them, have lost their scale on
// the way: the receiver means other ones.
constexpr std::uint64_t kLostScale = 4;

bool scale_may_be_lost(const Transfer& transfer) {
  const SynFacts* syn = syn_of_receiver(transfer);
  return syn != nullptr && syn->window > kLostScale * transfer.data().window.max_bytes;
}

double share_of(const DirectionFacts& data) {
  return static_cast<double>(data.window.silly.count) / static_cast<double>(data.data_packets);
}

void report(const Transfer& transfer, const WindowLimit& limit, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const Exemplars& silly = data.window.silly;
  const double mean =
      static_cast<double>(data.window.silly_bytes) / static_cast<double>(silly.count);
  Finding finding = about(kId, transfer);
  finding.seconds_lost = limit.seconds;
  finding.severity =
      severity_of(data.window.knowledge != ScaleKnowledge::guessed, limit.seconds, transfer);
  finding.confidence = confidence_of(0.8 + 0.15 * how_far(share_of(data), kShare, 0.9), transfer);
  finding.claim = fmt::format(
      "{} opens its window by less than a segment at a time, and {} answers with segments of {}, "
      "where {} would fit",
      name_receiver(transfer), name_sender(transfer), format_bytes(mean),
      format_bytes(data.segment_size));
  finding.evidence.push_back(shown_by(
      fmt::format("{} of {} data packets end exactly at the edge of a window that had just moved "
                  "by less than a segment",
                  silly.count, data.data_packets),
      silly,
      {{"silly_segments", static_cast<double>(silly.count)},
       {"silly_bytes", static_cast<double>(data.window.silly_bytes)}}));
  add_window_evidence(transfer, limit, finding);
  finding.refuted_by = "segments of the same size while the window has room for more";
  finding.wireshark_filter = stream_filter(
      transfer.connection, fmt::format("tcp.len > 0 && tcp.len < {}", data.segment_size));
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const std::uint64_t count = data.window.silly.count;
  if (count == 0 || data.data_packets == 0) return;
  if (count < kSegments || share_of(data) < kShare) {
    return silent(findings, kId, transfer,
                  fmt::format("{} of {} segments were cut by a window that had opened by less than "
                              "a segment; {} and {} are needed",
                              count, data.data_packets, kSegments, format_percent(kShare)));
  }
  if (scale_may_be_lost(transfer)) {
    return silent(findings, kId, transfer,
                  fmt::format("its windows, {} at most, are far from the one in its SYN: the scale "
                              "may have been lost on the way",
                              format_bytes(static_cast<double>(data.window.max_bytes))));
  }
  const WindowLimit limit = judge_window(transfer);
  if (!limit.limits) return silent(findings, kId, transfer, limit.why_not);
  report(transfer, limit, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector silly_window;
const Detector silly_window{.id = kId,
                            .scope = Scope::direction,
                            .needs = "the window's scale, and both directions",
                            .inspect = inspect};

}  // namespace slowpath::detect::detectors
