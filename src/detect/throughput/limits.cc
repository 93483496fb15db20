// SPDX-License-Identifier: Apache-2.0
// Windows and buffers that are too small for the round trip (RFC 7323 section 1.1: window / round
// trip is the most that can pass). The account says who waited; arithmetic must agree, because a
// slow reader or a slow writer fills a window or a buffer, too.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/throughput/rules.h"

namespace slowpath::detect::throughput {
namespace {

// Within this factor of what window and round trip allow.
constexpr double kAgrees = 2;
// Below it the round trip is the hosts' own work, and a larger window does not help.
constexpr double kShortestRtt = 0.0005;

/// None where arithmetic says that something else held the flow.
std::optional<double> ceiling_of(const Look& look, double window_bytes) {
  const double rtt = look.rtt_s();
  if (rtt < kShortestRtt || window_bytes <= 0) return std::nullopt;
  const double ceiling = window_bytes * 8 / rtt * static_cast<double>(look.flow.streams.size());
  const double ratio = look.flow.goodput_bps / ceiling;
  return ratio <= kAgrees && ratio * kAgrees >= 1 ? std::optional{ceiling} : std::nullopt;
}

std::optional<double> widest(const Look& look, std::optional<std::uint32_t> SocketFacts::* window) {
  std::optional<double> most;
  for (const TestStream& stream : look.flow.streams) {
    if (!stream.sender || !((*stream.sender).*window)) continue;
    most = std::max(most.value_or(0), static_cast<double>(*((*stream.sender).*window)));
  }
  return most;
}

bool has_scale(const Look& look) {
  return std::ranges::any_of(look.flow.streams, [](const TestStream& stream) {
    return stream.sender && stream.sender->send_window_scale;
  });
}

}  // namespace

void receive_window(const Look& look, std::vector<Finding>& findings) {
  if (look.judgement.limit != FlowLimit::receive_window) return;
  const double window = widest(look, &SocketFacts::peer_window_bytes).value_or(0);
  const auto ceiling = ceiling_of(look, window);
  if (!ceiling) return;
  const bool scaled = has_scale(look);
  Finding finding = found(
      look, scaled ? "rwnd-limited" : "wscale-absent", Severity::fault, 0.9,
      fmt::format("{} the receive window of {} held the transfer at {}, with a round trip of {}{}",
                  way_of(look), format_bytes(window), format_rate(look.flow.goodput_bps),
                  format_duration(look.rtt_s()), scaled ? "" : "; window scaling is not in use"));
  finding.seconds_lost = look.account.rwnd_limited_s;
  finding.evidence.push_back(
      tested(look.judgement.why,
             {{"rwnd_limited_s", look.account.rwnd_limited_s}, {"busy_s", look.account.busy_s}}));
  finding.evidence.push_back(
      tested(fmt::format("window / round trip allows {}", format_rate(*ceiling)),
             {{"window_bytes", window}, {"rtt_s", look.rtt_s()}, {"ceiling_bps", *ceiling}}));
  finding.refuted_by = "the same rate with a window twice as large (slowpath test --sweep window)";
  finding.next_capture = "slowpath test HOST --sweep window    (the curve and its knee)";
  finding.after_fix = {std::nullopt, "what binds next is not known before it binds",
                       Bound::unknown};
  findings.push_back(std::move(finding));
}

void send_buffer(const Look& look, std::vector<Finding>& findings) {
  if (look.judgement.limit != FlowLimit::send_buffer) return;
  double buffer = 0;
  for (const TestStream& stream : look.flow.streams) {
    if (stream.sender)
      buffer = std::max(buffer, static_cast<double>(stream.sender->send_buffer_bytes.value_or(0)));
  }
  // The kernel counts its own overhead in: about half of it is data (socket(7), tcp(7)).
  const auto ceiling = ceiling_of(look, buffer / 2);
  if (!ceiling) return;
  Finding finding =
      found(look, "sndbuf-limited", Severity::fault, 0.85,
            fmt::format("{} a send buffer of {} held the transfer at {}, with a round trip of {}",
                        way_of(look), format_bytes(buffer), format_rate(look.flow.goodput_bps),
                        format_duration(look.rtt_s())));
  finding.seconds_lost = look.account.sndbuf_limited_s;
  finding.evidence.push_back(tested(
      look.judgement.why,
      {{"sndbuf_limited_s", look.account.sndbuf_limited_s}, {"busy_s", look.account.busy_s}}));
  finding.evidence.push_back(
      tested(fmt::format("half of the buffer / round trip allows {}", format_rate(*ceiling)),
             {{"send_buffer_bytes", buffer}, {"rtt_s", look.rtt_s()}, {"ceiling_bps", *ceiling}}));
  finding.refuted_by = "the same rate with a larger buffer";
  findings.push_back(std::move(finding));
}

}  // namespace slowpath::detect::throughput
