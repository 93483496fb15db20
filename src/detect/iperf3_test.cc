// SPDX-License-Identifier: Apache-2.0
#include "detect/iperf3_test.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/active_verdict.h"
#include "detect/throughput_test.h"

namespace slowpath::detect {
namespace {

// Fewer lost datagrams are no pattern, and a smaller share slows nobody down.
constexpr std::uint64_t kEnoughLost = 10;
constexpr double kLostShare = 0.0005;

TestStream stream_of(const Iperf3Stream& stream) {
  return {.number = static_cast<std::uint32_t>(std::max(stream.id, 0)),
          .sent_bytes = stream.sent_bytes,
          .received_bytes = stream.received_bytes,
          .sender = stream.sender,
          .error = stream.error};
}

/// All streams of one way; `sends`: this end's.
TestFlow flow_of(const Iperf3Facts& facts, bool sends) {
  TestFlow flow;
  flow.to_server = sends;
  flow.complete = facts.error.empty();
  if (sends) flow.rtt = facts.rtt;
  double sent_bytes = 0;
  for (const Iperf3Stream& stream : facts.streams) {
    if (stream.sends != sends) continue;
    flow.streams.push_back(stream_of(stream));
    flow.complete = flow.complete && stream.error.empty();
    flow.counted_s = std::max(flow.counted_s, stream.seconds);
    flow.received_bytes += stream.received_bytes;
    sent_bytes += static_cast<double>(stream.sent_bytes);
  }
  if (flow.counted_s <= 0) return flow;
  flow.sent_bps = sent_bytes * 8 / flow.counted_s;
  // Without the other end's word there is only what left this one.
  flow.goodput_bps = flow.received_bytes > 0
                         ? static_cast<double>(flow.received_bytes) * 8 / flow.counted_s
                         : flow.sent_bps;
  return flow;
}

bool has_way(const Iperf3Facts& facts, bool sends) {
  return std::ranges::any_of(facts.streams,
                             [&](const Iperf3Stream& stream) { return stream.sends == sends; });
}

/// Of the other end, by its own word: per cent of one processor.
TestHost remote_cost(const Iperf3Facts& facts) {
  TestHost host;
  if (!facts.has_remote) return host;
  for (const Iperf3Stream& stream : facts.streams)
    host.elapsed_s = std::max(host.elapsed_s, stream.seconds);
  host.own_user_s = host.elapsed_s * facts.remote.user_percent / 100;
  host.own_system_s = host.elapsed_s * facts.remote.system_percent / 100;
  return host;
}

std::string again(const Iperf3Facts& facts, std::string_view options) {
  return facts.is_server ? fmt::format("iperf3 -c THIS_HOST {}    (on the other host)", options)
                         : fmt::format("slowpath test --iperf3 {} {}", facts.host, options);
}

/// Nothing but this end's account can say what held a transfer, and it did not send.
void tell_unknown(const Iperf3Facts& facts, const TestFacts& test, Diagnosis& diagnosis) {
  tell_unclear(
      fmt::format(
          "{} arrived here; what held it back only the sending end knows, and iperf3 does not "
          "tell.",
          format_rate(test.runs.front().flows.front().goodput_bps)),
      diagnosis);
  diagnosis.look_next = {
      fmt::format("slowpath serve    (on {}; then slowpath test tells the limit of each way)",
                  facts.host),
      "slowpath diagnose -i DEV --duration 10s    (while it runs)"};
}

/// Whichever side this end is: what it sent, with its limit, and what came.
std::string sound(const Iperf3Facts& facts, const TestFacts& test) {
  const TestRun& run = test.runs.front();
  std::string text = "No fault was found: ";
  for (const TestFlow& flow : run.flows) {
    text += flow.to_server ? fmt::format("{} to {} ({})", format_rate(flow.goodput_bps), facts.host,
                                         to_string(judge_flow(test, run, flow).limit))
                           : fmt::format(", {} back (only the sending end knows its limit)",
                                         format_rate(flow.goodput_bps));
  }
  return text + ".";
}

struct Datagrams {
  std::uint64_t packets = 0, lost = 0;
  double jitter_s = 0;
};

/// What was sent behind the highest number that came: no gap shows it. The two ends stop counting
/// a round trip and a moment apart, and where the first seconds do not count, a sender may not tell
/// those apart.
std::uint64_t lost_at_the_end(const Iperf3Facts& facts, const Iperf3Stream& stream) {
  const std::uint64_t sent = stream.sent.packets, came = stream.received.packets;
  // Without numbers of what came nobody knows.
  if (sent <= came || (came == 0 && stream.received_bytes > 0)) return 0;
  constexpr double kMoment_s = 0.1;
  double apart_s = kMoment_s + facts.rtt_idle_s.value_or(0);
  if (!stream.sends) apart_s += facts.omit_s;
  const double seconds = std::max(stream.seconds + (stream.sends ? 0 : facts.omit_s), apart_s);
  // Nothing that came is nothing in flight.
  const double in_flight = came == 0 ? 0 : static_cast<double>(sent) * apart_s / seconds;
  return static_cast<double>(sent - came) > in_flight ? sent - came : 0;
}

Datagrams datagrams_of(const Iperf3Facts& facts) {
  Datagrams sum;
  for (const Iperf3Stream& stream : facts.streams) {
    sum.packets += std::max(stream.sent.packets, stream.received.packets);
    sum.lost += stream.received.lost;
    if (facts.has_remote) sum.lost += lost_at_the_end(facts, stream);
    sum.jitter_s = std::max(sum.jitter_s, stream.received.jitter_s);
  }
  return sum;
}

/// One rate shows how much is lost, not why: the same at a tenth of it would.
Diagnosis diagnose_datagrams(const Iperf3Facts& facts) {
  const Datagrams all = datagrams_of(facts);
  Diagnosis diagnosis;
  const double share =
      all.packets > 0 ? static_cast<double>(all.lost) / static_cast<double>(all.packets) : 0;
  const bool knows = all.packets > 0 && (facts.has_remote || has_way(facts, false));
  if (!knows || !facts.error.empty()) {
    tell_unclear("What arrived is not known.", diagnosis);
    return diagnosis;
  }
  std::string summary =
      fmt::format("{} of {} datagrams were lost ({}), jitter {}.", format_count(all.lost),
                  format_count(all.packets), format_percent(share), format_duration(all.jitter_s));
  if (all.lost >= kEnoughLost && share >= kLostShare) {
    tell_unclear(std::move(summary), diagnosis);
    diagnosis.look_next.push_back(again(
        facts, fmt::format("-u -b {:.0f}    (a tenth of the rate: what is lost there, too, is lost "
                           "by no queue and no policer)",
                           std::max(facts.rate_bps, 1e6) / 10)));
  } else {
    diagnosis.verdict = "healthy";
    diagnosis.confidence = 0.85;
    diagnosis.summary = std::move(summary);
  }
  return diagnosis;
}

}  // namespace

TestFacts test_facts_of(const Iperf3Facts& facts) {
  TestFacts test;
  test.host = facts.host;
  test.content = "random";
  test.asked_rate_bps = facts.rate_bps;
  if (facts.pacing_bps > 0) {
    const auto paced = static_cast<double>(facts.pacing_bps);
    test.asked_rate_bps = facts.rate_bps > 0 ? std::min(facts.rate_bps, paced) : paced;
  }
  test.rtt_idle_s = facts.rtt_idle_s;
  test.interrupted = facts.interrupted;
  if (!facts.streams.empty()) {
    const Iperf3Stream& first = facts.streams.front();
    test.client = {parse_address(first.local_host).value_or(IpAddress{}), first.local_port};
    test.server = {parse_address(first.remote_host).value_or(IpAddress{}), first.remote_port};
  }
  TestRun& run = test.runs.emplace_back();
  run.client = facts.host_cost;
  run.server = remote_cost(facts);
  for (const bool sends : {true, false}) {
    if (has_way(facts, sends)) run.flows.push_back(flow_of(facts, sends));
  }
  return test;
}

Diagnosis diagnose_iperf3(const Iperf3Facts& facts) {
  Diagnosis diagnosis;
  if (facts.streams.empty()) {
    tell_unclear("The test did not begin.", diagnosis);
    return diagnosis;
  }
  if (facts.is_udp) return diagnose_datagrams(facts);
  const TestFacts test = test_facts_of(facts);
  diagnosis = diagnose_throughput(test);
  if (diagnosis.verdict != "healthy") return diagnosis;
  if (has_way(facts, true)) {
    diagnosis.summary = sound(facts, test);
  } else {
    tell_unknown(facts, test, diagnosis);
  }
  return diagnosis;
}

}  // namespace slowpath::detect
