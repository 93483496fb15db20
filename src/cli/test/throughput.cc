// SPDX-License-Identifier: Apache-2.0
#include "cli/test/throughput.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "cli/signals.h"
#include "probe/ceiling.h"
#include "probe/tcp_info.h"
#include "probe/throughput.h"

namespace slowpath::cli::testing {
namespace {

using probe::TransferRequest;
using probe::TransferWay;

/// One run to make, and what it is called in a sweep.
struct Step {
  TransferRequest request;
  std::string label;
  double value = 0;
};

std::vector<TransferWay> ways_of(const Options& options) {
  if (options.forward) return {TransferWay::to_server};
  if (options.reverse) return {TransferWay::to_client};
  if (options.both) return {TransferWay::both};
  if (!options.sweep.empty()) return {TransferWay::to_server};
  return {TransferWay::to_server, TransferWay::to_client, TransferWay::both};
}

std::vector<double> points_of(const std::string& sweep) {
  if (sweep == "streams") return {1, 2, 4, 8, 16, 32};
  // The smallest that IPv4 must carry, Ethernet with tunnels and without, and jumbo frames.
  if (sweep == "mss") return {536, 1000, 1220, 1360, 1448, 4312, 8948};
  std::vector<double> windows;
  for (double bytes = 16'384; bytes <= 16'777'216; bytes *= 2) windows.push_back(bytes);
  return windows;
}

Step sweep_step(const Options& options, TransferRequest request, double value) {
  using namespace std::chrono_literals;
  // A curve needs many points, not long ones.
  if (!options.time) request.plan.duration = 1s;
  if (!options.omit) request.plan.omit = 300ms;
  if (options.sweep == "window") {
    request.socket.buffer_bytes = static_cast<std::uint64_t>(value);
    return {request, "window " + format_bytes(value), value};
  }
  if (options.sweep == "mss") {
    request.socket.mss_bytes = static_cast<std::uint32_t>(value);
    return {request, fmt::format("mss {:.0f}", value), value};
  }
  request.streams = static_cast<std::uint32_t>(value);
  return {request, fmt::format("streams {:.0f}", value), value};
}

std::vector<Step> steps_of(const Options& options, const TransferRequest& request) {
  std::vector<Step> steps;
  for (const TransferWay way : ways_of(options)) {
    TransferRequest one = request;
    one.way = way;
    if (options.sweep.empty()) {
      steps.push_back({one, {}, 0});
      continue;
    }
    for (const double value : points_of(options.sweep))
      steps.push_back(sweep_step(options, one, value));
  }
  return steps;
}

std::string progress(const Step& step, const probe::IntervalReport& report) {
  std::uint64_t bytes = 0;
  for (const probe::StreamInterval& each : report.streams) bytes += each.bytes;
  const double seconds = report.end_s - report.begin_s;
  const double rate = seconds > 0 ? static_cast<double>(bytes) * 8 / seconds : 0;
  return fmt::format("{} {:.0f} s: {}",
                     step.label.empty() ? std::string{to_string(step.request.way)} : step.label,
                     report.end_s, format_rate(rate));
}

void measure_ceilings(probe::Session& session, const TransferRequest& request, StatusLine& status,
                      TestFacts& facts) {
  status.show("what this host reaches with itself");
  const auto own = probe::measure_ceiling(request.plan.block_bytes, request.verify);
  if (own) facts.client_ceiling_bps = *own;
  status.show("what the server reaches with itself");
  const auto other = probe::ask_ceiling(session, request.plan.block_bytes, request.verify);
  if (other) facts.server_ceiling_bps = *other;
}

TestFacts facts_of(probe::Session& session, const Options& options,
                   const TransferRequest& request) {
  TestFacts facts;
  facts.host = options.host;
  facts.server_version = session.server_version();
  facts.content = to_string(request.content);
  if (request.bytes) facts.content_bytes = request.bytes->size();
  facts.sweep = options.sweep;
  facts.asked_rate_bps = request.plan.rate_bps;
  if (const auto paced = request.socket.pacing_rate_bps) {
    const auto rate_bps = static_cast<double>(*paced);
    facts.asked_rate_bps =
        facts.asked_rate_bps > 0 ? std::min(facts.asked_rate_bps, rate_bps) : rate_bps;
  }
  if (const double most_bps = session.limits().most_rate_bps / request.streams; most_bps > 0) {
    facts.asked_rate_bps =
        facts.asked_rate_bps > 0 ? std::min(facts.asked_rate_bps, most_bps) : most_bps;
  }
  facts.asked_buffer_bytes = request.socket.buffer_bytes;
  if (const auto socket = probe::read_socket(session.control().socket())) {
    facts.client = socket->local;
    facts.server = socket->remote;
    facts.rtt_idle_s = socket->rtt_min_s;
  }
  return facts;
}

/// The server would refuse it, in the words of its protocol.
Result<void> check_limits(const probe::SessionLimits& limits, const TransferRequest& request) {
  const double longest_s = to_seconds(std::max(request.plan.duration, request.plan.omit));
  if (limits.most_s <= 0 || longest_s <= limits.most_s) return {};
  return fail(ErrorKind::network, fmt::format("cannot test for {}", format_duration(longest_s)),
              fmt::format("the server allows {} (its --max-time)", format_duration(limits.most_s)),
              fmt::format("-t {:.0f}", std::floor(limits.most_s)));
}

}  // namespace

Result<TestFacts> measure_throughput(probe::Session& session, const Options& options,
                                     const TransferRequest& request, StatusLine& status) {
  if (auto allowed = check_limits(session.limits(), request); !allowed)
    return std::unexpected(allowed.error());
  if (request.bytes) {
    status.show("giving the server the file's content");
    if (auto given = probe::give_content(session, request.bytes); !given)
      return std::unexpected(given.error());
  }
  TestFacts facts = facts_of(session, options, request);
  if (!options.no_ceiling && options.sweep.empty())
    measure_ceilings(session, request, status, facts);
  for (const Step& step : steps_of(options, request)) {
    if (stop_requested().load()) break;
    auto run = probe::run_throughput(
        session, step.request,
        [&](const probe::IntervalReport& report) { status.show(progress(step, report)); },
        &stop_requested());
    if (!run) {
      if (stop_requested().load()) break;
      return std::unexpected(run.error());
    }
    run->label = step.label;
    run->value = step.value;
    facts.runs.push_back(*std::move(run));
  }
  status.clear();
  facts.interrupted = stop_requested().load();
  return facts;
}

}  // namespace slowpath::cli::testing
