// SPDX-License-Identifier: Apache-2.0
// What limited a flow. In this order, because a later cause can only be seen where an earlier one
// is not: (1) silences of the timer, and losses that no queue explains; (2) windows and buffers,
// unless it was a processor that could not fill or empty them; (3) the user's own limit; (4)
// processors; (5) losses without a queue; (6) the path.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/throughput/rules.h"
#include "facts/cpu_time.h"

namespace slowpath::detect {
namespace {

constexpr double kMostOfTheTime = 0.5;
constexpr double kFull = 0.95;    // of a processor
constexpr double kOwnFull = 0.9;  // of one processor, by this program's thread
constexpr double kReached = 0.9;  // of a rate that was asked for
// RFC 6298 allows a second; Linux waits 200 ms and the round trip at least.
constexpr double kTimeoutS = 0.2;
constexpr double kTimeoutShare = 0.3;
constexpr double kLossShare = 1e-4;
constexpr double kQueueGrowth = 1.25;
// No queue of a sound path makes TCP send so much again.
constexpr double kHeavyLoss = 0.02;
constexpr std::uint64_t kEnoughLosses = 20;

/// Whether the test itself used a processor up.
bool is_used_up(const TestHost& host) {
  return host.elapsed_s > 0 && (host.own_user_s + host.own_system_s) / host.elapsed_s >= kOwnFull;
}

/// Whether some processor was never idle, whoever used it.
bool is_full(const TestHost& host) {
  return is_used_up(host) || std::ranges::any_of(host.cpus, [](const CpuFacts& cpu) {
           const double total = total_s(cpu);
           return total > 0 && 1 - cpu.idle_s / total >= kFull;
         });
}

bool has_grown_queue(const TestFacts& test, const TestFlow& flow) {
  const double idle = test.rtt_idle_s.value_or(flow.rtt.min_s);
  return flow.rtt.median_s > kQueueGrowth * idle;
}

bool reaches_asked_rate(const TestFacts& test, const TestFlow& flow) {
  const double asked = test.asked_rate_bps * static_cast<double>(flow.streams.size());
  return asked > 0 && flow.goodput_bps >= kReached * asked;
}

FlowJudgement by_processor(FlowLimit limit) {
  return {limit, limit == FlowLimit::sender_cpu
                     ? "a processor of the sending host was busy all the time"
                     : "a processor of the receiving host was busy all the time"};
}

/// A window or a buffer was full most of the time. That is the cause where window / round trip is
/// what was reached, unless the test's own end used its processor up; a host busy with other things
/// explains it only where that arithmetic fails.
FlowJudgement by_window(FlowLimit limit, std::string why, bool is_exact, const TestHost& worker,
                        FlowLimit processor) {
  if (is_used_up(worker) || (!is_exact && is_full(worker))) return by_processor(processor);
  return {limit, std::move(why)};
}

}  // namespace

std::string_view to_string(FlowLimit limit) {
  constexpr std::array<std::string_view, 9> kNames{"receive-window", "send-buffer", "timeouts",
                                                   "loss",           "sender-cpu",  "receiver-cpu",
                                                   "asked-rate",     "path",        "unknown"};
  return kNames[static_cast<std::size_t>(limit)];
}

FlowAccount account_of(const TestFlow& flow) {
  FlowAccount account;
  for (const TestStream& stream : flow.streams) {
    if (!stream.sender || !stream.sender->busy_s) continue;
    const SocketFacts& sender = *stream.sender;
    account.known = true;
    account.busy_s += *sender.busy_s;
    account.rwnd_limited_s += sender.rwnd_limited_s.value_or(0);
    account.sndbuf_limited_s += sender.sndbuf_limited_s.value_or(0);
    account.segments += sender.data_segments_sent.value_or(0);
    account.retransmits += sender.retransmits_total.value_or(0);
    account.timeouts += sender.timeouts_total.value_or(0);
  }
  return account;
}

FlowJudgement judge_flow(const TestFacts& test, const TestRun& run, const TestFlow& flow) {
  const FlowAccount account = account_of(flow);
  if (!account.known)
    return {FlowLimit::unknown, "the sending host gives no account of its sockets"};
  const double silent_s = static_cast<double>(account.timeouts) * kTimeoutS;
  if (account.busy_s > 0 && silent_s >= kTimeoutShare * account.busy_s)
    return {FlowLimit::timeouts, fmt::format("{} retransmission timeouts in {}", account.timeouts,
                                             format_duration(flow.counted_s))};
  if (account.retransmits >= kEnoughLosses && account.resent_share() >= kHeavyLoss)
    return {FlowLimit::loss, fmt::format("{} of its segments had to be sent again",
                                         format_percent(account.resent_share()))};
  const TestHost& sender = flow.to_server ? run.client : run.server;
  const TestHost& receiver = flow.to_server ? run.server : run.client;
  if (account.rwnd_share() >= kMostOfTheTime)
    return by_window(FlowLimit::receive_window,
                     fmt::format("for {} of its busy time the sender waited for the receive window",
                                 format_percent(account.rwnd_share())),
                     throughput::receive_ceiling(test, flow).has_value(), receiver,
                     FlowLimit::receiver_cpu);
  if (account.sndbuf_share() >= kMostOfTheTime)
    return by_window(FlowLimit::send_buffer,
                     fmt::format("for {} of its busy time the sender's buffer was too small",
                                 format_percent(account.sndbuf_share())),
                     throughput::send_ceiling(test, flow).has_value(), sender,
                     FlowLimit::sender_cpu);
  if (reaches_asked_rate(test, flow))
    return {FlowLimit::asked_rate,
            "it reached the rate that was asked for, or that the server allows"};
  if (is_full(sender)) return by_processor(FlowLimit::sender_cpu);
  if (is_full(receiver)) return by_processor(FlowLimit::receiver_cpu);
  if (account.resent_share() >= kLossShare && !has_grown_queue(test, flow))
    return {FlowLimit::loss, fmt::format("{} of its segments were sent again, and no queue grew",
                                         format_percent(account.resent_share()))};
  return {FlowLimit::path, "neither window, buffer, processor nor loss held it back"};
}

}  // namespace slowpath::detect
