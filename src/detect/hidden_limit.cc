// SPDX-License-Identifier: Apache-2.0
// A second cause that the first one hides: a window that no time was lost to, because a worse fault
// never let the transfer reach it. What it would cost shows in arithmetic alone, so it is a
// suspect, and only beside a fault, or beside losses that matter and that nothing explains.
#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/window.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "detect/prediction.h"
#include "detect/synthesis_steps.h"

namespace slowpath::detect {
namespace {

// From here on the second repair is worth a step of its own.
constexpr double kWorthAStep = 1.25;
constexpr double kConfidence = 0.6;
// Less than what many access lines and all offices carry: a path that nothing is known of may well
// be faster.
constexpr double kUsualPath_bps = 250e6;
// Slow start leaves a transfer at least this share of the rate that binds it.
constexpr double kNear = 2;

std::string_view window_fault_of(const DirectionFacts& data) {
  return data.window.knowledge == ScaleKnowledge::not_in_use ? "wscale-absent" : "rwnd-limited";
}

/// What hides the window.
struct Cover {
  Repair repair = Repair::unknown;
  double seconds = 0;        // that it cost the transfer
  bool limits_rate = false;  // drops or holds what exceeds a rate: without it the path may carry
                             // anything
  bool is_named = true;      // by a fault; else losses that nothing explains
};

bool widens(const Finding& finding) {
  const Repair repair = repair_of(finding.fault);
  return repair == Repair::window || repair == Repair::reader;
}

/// `held_bps`: the rate that the window then allows. `certain`: the path is known to carry more.
Finding describe(const Transfer& transfer, const Cover& cover, double held_bps, bool certain) {
  const DirectionFacts& data = transfer.data();
  const double widest = arithmetic::max_window_bytes(data.window.shift);
  Finding finding = about(window_fault_of(data), transfer);
  finding.severity = Severity::suspect;
  finding.confidence = confidence_of(kConfidence, transfer);
  finding.claim = fmt::format(
      "behind {} {} a second limit: the window scale of {} lets {} offer no more than {}, which "
      "holds the transfer at {}{}",
      cover.is_named ? "it" : "the losses", certain ? "waits" : "may wait", data.window.shift,
      name_receiver(transfer), format_bytes(widest), format_rate(held_bps),
      certain ? "" : ", if the path carries more");
  finding.evidence.push_back(shown_by(
      "the windows and window scale of the SYNs",
      {transfer.connection.handshake.syn ? transfer.connection.handshake.syn->frame : FrameRef{},
       transfer.connection.handshake.syn_ack ? transfer.connection.handshake.syn_ack->frame
                                             : FrameRef{}},
      {{"window_shift", static_cast<double>(data.window.shift)}, {"window_widest_bytes", widest}}));
  finding.refuted_by = "a transfer that is faster than that once the first cause is repaired";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.flags.syn == 1");
  finding.next_capture =
      "after the first repair: " + capture_command(transfer.connection, "repaired.pcap");
  return finding;
}

/// Whether the widest window is near what is to be expected: a window of 64 MiB holds nobody at 40
/// Mbit/s on a LAN, whatever else makes the two predictions differ.
bool binds(const DirectionFacts& data, double expected_bps) {
  const double rtt_s = data.rtt.total.min_s;
  const double widest = arithmetic::max_window_bytes(data.window.shift);
  return rtt_s > 0 && arithmetic::window_rate_bps(widest, rtt_s) <= kNear * expected_bps;
}

Cover cover_of(const Finding& finding) {
  return {.repair = repair_of(finding.fault),
          .seconds = finding.seconds_lost,
          .limits_rate = finding.fault == "policer" || finding.fault == "shaper"};
}

/// Losses whose repair, and the windows that they kept small, took what matters.
std::optional<Cover> losses_of(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const double seconds = loss_s(data) + kept_small_s(data);
  if (data.resent_packets == 0 || !is_material(seconds, transfer)) return std::nullopt;
  return Cover{.repair = Repair::loss, .seconds = seconds, .is_named = false};
}

/// Nothing tells what the path would carry, and the widest window allows less than paths usually
/// do. `narrow`: what is expected with the window as it is, if it can be told.
std::optional<Finding> below_usual_path(const Transfer& transfer, const Cover& cover,
                                        const std::optional<AfterFix>& narrow) {
  const DirectionFacts& data = transfer.data();
  const double rtt_s = data.rtt.total.min_s;
  if (narrow && narrow->bound == Bound::about) return std::nullopt;
  if (rtt_s <= 0) return std::nullopt;
  const double held_bps =
      arithmetic::window_rate_bps(arithmetic::max_window_bytes(data.window.shift), rtt_s);
  if (held_bps > kUsualPath_bps || held_bps < kWorthAStep * data.goodput_bps) return std::nullopt;
  return describe(transfer, cover, held_bps, false);
}

/// The suspect, where the window is what binds once the cover is gone.
std::optional<Finding> hidden_behind(const Transfer& transfer, const Cover& cover) {
  const WindowFacts& window = transfer.data().window;
  const bool known = window.knowledge == ScaleKnowledge::negotiated ||
                     window.knowledge == ScaleKnowledge::not_in_use;
  if (!known || window.max_bytes == 0) return std::nullopt;
  Repairs repairs;
  repairs.add(cover.repair, cover.seconds);
  if (cover.limits_rate) return below_usual_path(transfer, cover, std::nullopt);
  // What times out hardly ever reached a window: too little of the path was seen.
  if (cover.repair == Repair::timeouts || (!repairs.loss && !repairs.sender)) return std::nullopt;
  const AfterFix narrow = predict(transfer, repairs, Witness::bursts);
  repairs.add(Repair::window, 0);
  const AfterFix wide = predict(transfer, repairs, Witness::bursts);
  if (!narrow.goodput_bps || !wide.goodput_bps) {
    return below_usual_path(transfer, cover, std::nullopt);
  }
  const bool worth = *wide.goodput_bps >= kWorthAStep * *narrow.goodput_bps;
  if (worth && binds(transfer.data(), *narrow.goodput_bps)) {
    return describe(transfer, cover, *narrow.goodput_bps, true);
  }
  return below_usual_path(transfer, cover, narrow);
}

/// Whether a window is named already for the data of this transfer.
bool is_named(const std::vector<Finding>& findings, const FindingIndex& index,
              const Transfer& transfer) {
  return std::ranges::any_of(index.of(transfer.connection.id), [&](std::size_t position) {
    const Finding& other = findings[position];
    return widens(other) && other.severity != Severity::note &&
           (!other.direction || *other.direction == transfer.direction);
  });
}

}  // namespace

bool is_hidden_limit(const Finding& finding) {
  return finding.severity == Severity::suspect && finding.seconds_lost == 0 && widens(finding);
}

void name_hidden_limits(const Case& facts, std::span<const std::string> verdicts,
                        std::vector<Finding>& findings) {
  const FindingIndex index(findings);
  std::set<std::pair<std::uint32_t, Direction>> done;
  std::vector<Finding> hidden;
  const auto look_behind = [&](const Transfer& transfer, const Cover& cover) {
    if (done.contains({transfer.connection.id, transfer.direction})) return;
    if (is_named(findings, index, transfer)) return;
    if (auto found = hidden_behind(transfer, cover)) {
      done.emplace(transfer.connection.id, transfer.direction);
      hidden.push_back(std::move(*found));
    }
  };
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::fault) continue;
    if (const auto transfer = transfer_of(facts, finding))
      look_behind(*transfer, cover_of(finding));
  }
  for (std::size_t i = 0; i < facts.connections.size() && i < verdicts.size(); ++i) {
    if (verdicts[i] != "unclear") continue;
    const ConnectionFacts& connection = facts.connections[i];
    const Transfer transfer{facts, connection, main_direction(connection)};
    if (const auto cover = losses_of(transfer)) look_behind(transfer, *cover);
  }
  calibrate_suspects(hidden);
  std::ranges::move(hidden, std::back_inserter(findings));
}

}  // namespace slowpath::detect
