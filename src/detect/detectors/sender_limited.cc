// SPDX-License-Identifier: Apache-2.0
// sender-limited: the sending host does not offer more data: send buffer, application or pacing.
// The user sees a rate below the link's although the receiver offers room and the path loses
// nothing. Recognised by a flight that stays flat well below the receive window while the round
// trip stays near its minimum. Which of the three it is packets cannot say (RFC 4898's counters and
// ss can), so this is the honest answer. Look-alikes: a receive window read without its scale (the
// flight then fits the window field), a full queue (round trips grow), a growing window after slow
// start (the flight is not flat), an unloaded fast link (round trips below a millisecond, and not
// alike, are hosts' own time).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/flat_flight.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "sender-limited";
// "Well below": two thirds. Receivers keep part of their buffer back.
constexpr double kWindowShare = 0.67;

/// The flight fits the window field as it stands in the header: the sender may read it unscaled.
bool fits_unscaled_window(const DirectionFacts& data) {
  if (data.window.shift == 0 || data.segment_size == 0) return false;
  const std::uint64_t field = data.window.raw_max;
  return data.flight_plateau_bytes <= field &&
         data.flight_plateau_bytes + 2 * std::uint64_t{data.segment_size} > field;
}

double seconds_of(const DirectionFacts& data) {
  return held_s(data) * (1 - static_cast<double>(data.flight_plateau_bytes) /
                                 static_cast<double>(data.window.median_bytes));
}

/// Why a flight that a host holds is not held by the sender; empty when it is.
std::string why_not_the_sender(const DirectionFacts& data) {
  const auto plateau = static_cast<double>(data.flight_plateau_bytes);
  const auto window = static_cast<double>(data.window.median_bytes);
  if (data.window.knowledge == ScaleKnowledge::unknown || window <= 0) {
    return "the receive window's scale is not known";
  }
  if (plateau > kWindowShare * window) {
    return fmt::format("a flight of {} fills much of the receive window of {}",
                       format_bytes(plateau), format_bytes(window));
  }
  if (fits_unscaled_window(data)) {
    return fmt::format("the flight of {} is the window field without its scale",
                       format_bytes(plateau));
  }
  return {};
}

void report(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const auto plateau = static_cast<double>(data.flight_plateau_bytes);
  const auto window = static_cast<double>(data.window.median_bytes);
  Finding finding = about(kId, transfer);
  finding.seconds_lost = seconds_of(data);
  const bool witness = data.vantage != Vantage::unknown && data.vantage != Vantage::receiver;
  finding.severity = severity_of(witness, finding.seconds_lost, transfer);
  finding.confidence =
      confidence_of(0.65 + 0.2 * (1 - data.flight_plateau_spread / kFlatSpread) +
                        0.1 * how_far(static_cast<double>(data.flight_rounds), kFlatRounds, 50),
                    transfer);
  finding.claim = fmt::format(
      "{} keeps no more than {} in flight although {} would be allowed and nothing is lost: its "
      "send "
      "buffer, its application or its pacing holds the rate at {}",
      to_string(transfer.sender()), format_bytes(plateau), format_bytes(window),
      format_rate(data.goodput_bps));
  finding.evidence.push_back(shown_by(
      fmt::format("the flight stays at {} (spread {}) over {} round trips", format_bytes(plateau),
                  format_percent(data.flight_plateau_spread), data.flight_rounds),
      {}, {{"flight_plateau_bytes", plateau}, {"window_median_bytes", window}}));
  finding.evidence.push_back(shown_by(
      fmt::format(
          "round trips of {} under load, {} at least; {} packets lost: the path is not full",
          format_duration(data.rtt.loaded_s), format_duration(data.rtt.total.min_s),
          data.lost_packets),
      {}, {{"rtt_min_us", data.rtt.total.min_s * 1e6}}));
  finding.evidence.push_back(shown_by(
      fmt::format("{} of the sends followed an ACK at once with a full segment: {}",
                  format_percent(data.app_data_ready_share),
                  data.app_data_ready_share > 0.5 ? "speaks for a send buffer"
                                                  : "speaks for the application or pacing"),
      {}, {{"app_data_ready_share", data.app_data_ready_share}}));
  finding.refuted_by = "ss -tin on the sender: cwnd reached, no notsent data, not app_limited";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.bytes_in_flight");
  finding.next_capture = fmt::format("on {}: {} (sndbuf_limited, app_limited, notsent)",
                                     to_string(transfer.sender().address),
                                     socket_command(transfer.receiver().address));
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (transfer.data().data_packets < kFlatRounds) continue;
    std::string why = why_no_host_holds(transfer);
    if (why.empty()) why = why_not_the_sender(transfer.data());
    if (!why.empty()) {
      silent(findings, kId, transfer, std::move(why));
      continue;
    }
    if (!is_material(seconds_of(transfer.data()), transfer)) {
      silent(findings, kId, transfer, "a flat flight, but it costs next to nothing");
      continue;
    }
    report(transfer, findings);
  }
}

}  // namespace

extern const Detector sender_limited;
const Detector sender_limited{.id = kId,
                              .scope = Scope::direction,
                              .needs =
                                  "10 round trips after slow start, the window's scale, and "
                                  "a capture on the sender's side",
                              .inspect = inspect};

}  // namespace slowpath::detect::detectors
