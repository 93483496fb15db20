// SPDX-License-Identifier: Apache-2.0
// vm-egress-cap: what a cloud machine may send is limited, all flows together; what it receives is
// not. What the user sees: the same sum whatever the peer and however many connections. Recognised
// by a constant sum over transfers from one host to several peers, of which each by itself is not
// constant, in a queue or at a price of losses, while something comes in faster. A line of that
// speed gives the same picture, and which it is only the provider's counters say: a suspect.
#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/statistics.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "vm-egress-cap";
// Peers: two already part the host from the path to one of them.
constexpr std::size_t kPeers = 2;
// The time that all of them were sending is cut into so many stretches.
constexpr std::size_t kStretches = 20;
// Of the sum, the middle half of stretches lies within this of the median; of one flow beyond that.
constexpr double kSumSpread = 0.08, kFlowSpread = 0.16;
// At least so long, many round trips and beyond any burst credit of a second.
constexpr double kSeconds = 2;
// What comes in is faster by this.
constexpr double kFaster = 1.3;
constexpr std::size_t kMostFlows = 64;

struct Sum {
  std::vector<Transfer> flows;
  Time begin{}, end{};
  double rate_bps = 0, spread = 0;
  double least_flow_spread = 0;
};

double bytes_between(const Timeline& timeline, Time begin, Time end) {
  double bytes = 0;
  const std::span<const TimelineBin> bins = timeline.bins.kept();
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const double before_s = timeline.bins.numbers()[i] * timeline.bin_s;
    const Time from = timeline.start + from_seconds(before_s);
    const Time to = from + from_seconds(timeline.bin_s);
    const double overlap = seconds_between(std::max(from, begin), std::min(to, end));
    if (overlap <= 0) continue;
    bytes += static_cast<double>(bins[i].acked_bytes) * overlap / timeline.bin_s;
  }
  return bytes;
}

double spread_of(const std::vector<double>& values) {
  const double median = arithmetic::median(values).value_or(0);
  if (median <= 0) return 1;
  return (*arithmetic::percentile(values, 0.75) - *arithmetic::percentile(values, 0.25)) / median;
}

/// The sum of these flows while all of them sent; a rate of 0 where they hardly did.
Sum sum_of(std::vector<Transfer> flows) {
  Sum sum;
  sum.begin = flows.front().data().first_data;
  sum.end = flows.front().data().last_data;
  for (const Transfer& flow : flows) {
    sum.begin = std::max(sum.begin, flow.data().first_data);
    sum.end = std::min(sum.end, flow.data().last_data);
  }
  sum.flows = std::move(flows);
  const double seconds = seconds_between(sum.begin, sum.end);
  if (seconds < kSeconds) return sum;
  const double stretch_s = seconds / static_cast<double>(kStretches);
  std::vector<double> all(kStretches, 0);
  sum.least_flow_spread = 1;
  for (const Transfer& flow : sum.flows) {
    std::vector<double> own;
    for (std::size_t i = 0; i < kStretches; ++i) {
      const Time from = sum.begin + from_seconds(static_cast<double>(i) * stretch_s);
      own.push_back(bytes_between(flow.data().timeline, from, from + from_seconds(stretch_s)));
      all[i] += own.back();
    }
    sum.least_flow_spread = std::min(sum.least_flow_spread, spread_of(own));
  }
  sum.rate_bps = arithmetic::median(all).value_or(0) * 8 / stretch_s;
  sum.spread = spread_of(all);
  return sum;
}

bool waits_for_path(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  return data.lost_packets > 0 || queue_builds(queue_of(data));
}

double fastest_into(const Case& facts, const IpAddress& host) {
  double fastest = 0;
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (transfer.receiver().address == host)
      fastest = std::max(fastest, transfer.data().goodput_bps);
  }
  return fastest;
}

void report(const Sum& sum, double incoming_bps, Findings& findings) {
  Finding finding;
  finding.fault = kId;
  const IpAddress& host = sum.flows.front().sender().address;
  for (const Transfer& flow : sum.flows) finding.connections.push_back(flow.connection.id);
  finding.severity = Severity::suspect;
  finding.confidence = 0.55;
  finding.seconds_lost = seconds_between(sum.begin, sum.end);
  finding.claim = fmt::format(
      "all that {} sends adds up to {}, to {} transfers at once, while {} come in", to_string(host),
      format_rate(sum.rate_bps), sum.flows.size(), format_rate(incoming_bps));
  finding.evidence.push_back(shown_by(
      fmt::format(
          "over {} the sum varies by {} (middle half over median), each transfer by {} or more",
          format_duration(seconds_between(sum.begin, sum.end)), format_percent(sum.spread),
          format_percent(sum.least_flow_spread)),
      {}, {{"sum_bps", sum.rate_bps}, {"incoming_bps", incoming_bps}, {"sum_spread", sum.spread}}));
  finding.refuted_by =
      "a larger sum with further transfers, or counters of the provider that do not rise";
  finding.after_fix = {std::nullopt,
                       "cannot be told: what the path would carry beyond the limit does not show"};
  finding.next_capture = fmt::format(
      "on {}: ethtool -S DEV | grep -i allowance_exceeded (AWS), or the provider's limit for this "
      "size of machine",
      to_string(host));
  findings.list.push_back(std::move(finding));
}

void inspect_host(const Case& facts, const IpAddress& host, std::vector<Transfer> flows,
                  Findings& findings) {
  std::set<IpAddress> peers;
  for (const Transfer& flow : flows) peers.insert(flow.receiver().address);
  if (peers.size() < kPeers) {
    return silent(findings, kId,
                  fmt::format("{} sends much to one peer only; a limit of the host shows with {}",
                              to_string(host), kPeers));
  }
  const Sum sum = sum_of(std::move(flows));
  if (sum.rate_bps <= 0) return;
  if (sum.spread > kSumSpread || sum.least_flow_spread < kFlowSpread) {
    return silent(
        findings, kId,
        fmt::format(
            "what {} sends varies by {}, each transfer by {} at least: no constant sum of others",
            to_string(host), format_percent(sum.spread), format_percent(sum.least_flow_spread)));
  }
  const double incoming_bps = fastest_into(facts, host);
  if (incoming_bps < kFaster * sum.rate_bps) {
    return silent(
        findings, kId,
        fmt::format("{} go out of {} and {} come in: nothing limits one way only",
                    format_rate(sum.rate_bps), to_string(host), format_rate(incoming_bps)));
  }
  report(sum, incoming_bps, findings);
}

void inspect(const Case& facts, Findings& findings) {
  std::map<IpAddress, std::vector<Transfer>> by_host;
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (!waits_for_path(transfer) || !is_material(transfer.data().transfer_s, transfer)) continue;
    std::vector<Transfer>& flows = by_host[transfer.sender().address];
    if (transfer.data().transfer_s >= kSeconds && flows.size() < kMostFlows)
      flows.push_back(transfer);
  }
  for (auto& [host, flows] : by_host) {
    if (!flows.empty()) inspect_host(facts, host, std::move(flows), findings);
  }
}

}  // namespace

extern const Detector vm_egress_cap;
const Detector vm_egress_cap{.id = kId,
                             .scope = Scope::path,
                             .needs = "transfers from one host to two peers at once, and one to it",
                             .inspect = inspect};

}  // namespace slowpath::detect::detectors
