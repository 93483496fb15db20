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

/// Of the empty path, as far as it was seen: a queue, or a receiver that comes late to its data,
/// makes the round trip so long that any window divided by it is the rate that was reached.
double rtt_of(const TestFacts& test, const TestFlow& flow) {
  const double idle = test.rtt_idle_s.value_or(0);
  if (flow.rtt.samples == 0) return idle;
  return idle > 0 ? std::min(idle, flow.rtt.median_s) : flow.rtt.median_s;
}

/// The largest that a sender's socket tells; 0 = none does.
template <typename Value>
double widest(const TestFlow& flow, std::optional<Value> SocketFacts::* field) {
  double most = 0;
  for (const TestStream& stream : flow.streams) {
    if (stream.sender && (*stream.sender).*field)
      most = std::max(most, static_cast<double>(*((*stream.sender).*field)));
  }
  return most;
}

std::optional<Ceiling> agreed(const TestFacts& test, const TestFlow& flow, double window_bytes) {
  const double rtt = rtt_of(test, flow);
  if (rtt < kShortestRtt || window_bytes <= 0) return std::nullopt;
  const double ceiling = window_bytes * 8 / rtt * static_cast<double>(flow.streams.size());
  const double ratio = flow.goodput_bps / ceiling;
  if (ratio > kAgrees || ratio * kAgrees < 1) return std::nullopt;
  return Ceiling{window_bytes, ceiling};
}

bool has_scale(const Look& look) {
  return std::ranges::any_of(look.flow.streams, [](const TestStream& stream) {
    return stream.sender && stream.sender->send_window_scale;
  });
}

}  // namespace

std::optional<Ceiling> receive_ceiling(const TestFacts& test, const TestFlow& flow) {
  return agreed(test, flow, widest(flow, &SocketFacts::peer_window_bytes));
}

// The kernel counts its own overhead in: about half of it is data (socket(7), tcp(7)).
std::optional<Ceiling> send_ceiling(const TestFacts& test, const TestFlow& flow) {
  return agreed(test, flow, widest(flow, &SocketFacts::send_buffer_bytes) / 2);
}

double Look::rtt_s() const { return rtt_of(test, flow); }

void receive_window(const Look& look, std::vector<Finding>& findings) {
  if (look.judgement.limit != FlowLimit::receive_window) return;
  const auto ceiling = receive_ceiling(look.test, look.flow);
  if (!ceiling) return;
  const bool scaled = has_scale(look);
  Finding finding = found(
      look, scaled ? "rwnd-limited" : "wscale-absent", Severity::fault, 0.9,
      fmt::format("{} the receive window of {} held the transfer at {}, with a round trip of {}{}",
                  way_of(look), format_bytes(ceiling->window_bytes),
                  format_rate(look.flow.goodput_bps), format_duration(look.rtt_s()),
                  scaled ? "" : "; window scaling is not in use"));
  finding.seconds_lost = look.account.rwnd_limited_s;
  finding.evidence.push_back(
      tested(look.judgement.why,
             {{"rwnd_limited_s", look.account.rwnd_limited_s}, {"busy_s", look.account.busy_s}}));
  finding.evidence.push_back(
      tested(fmt::format("window / round trip allows {}", format_rate(ceiling->rate_bps)),
             {{"window_bytes", ceiling->window_bytes},
              {"rtt_s", look.rtt_s()},
              {"ceiling_bps", ceiling->rate_bps}}));
  finding.refuted_by = "the same rate with a window twice as large (slowpath test --sweep window)";
  finding.next_capture = "slowpath test HOST --sweep window    (the curve and its knee)";
  finding.after_fix = {std::nullopt, "what binds next is not known before it binds",
                       Bound::unknown};
  findings.push_back(std::move(finding));
}

void send_buffer(const Look& look, std::vector<Finding>& findings) {
  if (look.judgement.limit != FlowLimit::send_buffer) return;
  const auto ceiling = send_ceiling(look.test, look.flow);
  if (!ceiling) return;
  Finding finding =
      found(look, "sndbuf-limited", Severity::fault, 0.85,
            fmt::format("{} a send buffer of {} held the transfer at {}, with a round trip of {}",
                        way_of(look), format_bytes(2 * ceiling->window_bytes),
                        format_rate(look.flow.goodput_bps), format_duration(look.rtt_s())));
  finding.seconds_lost = look.account.sndbuf_limited_s;
  finding.evidence.push_back(tested(
      look.judgement.why,
      {{"sndbuf_limited_s", look.account.sndbuf_limited_s}, {"busy_s", look.account.busy_s}}));
  finding.evidence.push_back(tested(
      fmt::format("half of the buffer / round trip allows {}", format_rate(ceiling->rate_bps)),
      {{"send_buffer_bytes", 2 * ceiling->window_bytes},
       {"rtt_s", look.rtt_s()},
       {"ceiling_bps", ceiling->rate_bps}}));
  finding.refuted_by = "the same rate with a larger buffer";
  findings.push_back(std::move(finding));
}

}  // namespace slowpath::detect::throughput
