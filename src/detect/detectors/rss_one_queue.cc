// SPDX-License-Identifier: Apache-2.0
// rss-one-queue: all of a host's receive work lands on one core.
// The user sees that several streams together are no faster than one, and that they lose packets on
// a network that loses nothing. A single flow always uses one queue, so that nothing is shown by
// fewer than eight: recognised by eight flows to one host within one site that lose packets side by
// side at a high packet rate. Look-alikes: a full switch port loses as well. Only counters of the
// host's queues prove it (/proc/interrupts, ethtool -S): a suspicion without a price, with the
// commands that would tell.
#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "rss-one-queue";
// The catalogue: by chance eight flows fall into one of four queues once in ten thousand times.
constexpr std::size_t kFlows = 8;
// Less is no flow that fills a queue.
constexpr std::uint64_t kFlowBytes = 100'000;
constexpr std::uint64_t kLosses = 20;
// Of the flows.
constexpr double kLossyShare = 0.75;
// Within one site: farther away the losses are the path's.
constexpr double kSiteRtt = 0.005;
// Segments a second that cost a core something worth noticing.
constexpr double kPacketRate = 5000;

struct Flows {
  std::vector<std::uint32_t> ids;
  std::size_t lossy = 0;
  std::uint64_t losses = 0;
  double packets = 0, seconds = 0;
  double rtt_s = 0;  // the longest of their shortest
  Exemplars frames;
  const ConnectionFacts* first = nullptr;

  [[nodiscard]] double packet_rate() const { return seconds > 0 ? packets / seconds : 0; }
};

Flows flows_to(const Case& facts, const PathFacts& path, const IpAddress& receiver) {
  Flows flows;
  Time begin = Time::max();
  Time end = Time::min();
  for (const std::uint32_t id : path.connections) {
    const ConnectionFacts* connection = find_connection(facts, id);
    if (connection == nullptr) continue;
    const bool to_server = connection->server.address == receiver;
    const DirectionFacts& data =
        (*connection)[to_server ? Direction::to_server : Direction::to_client];
    if (data.bytes < kFlowBytes || data.segment_size == 0) continue;
    flows.ids.push_back(id);
    flows.lossy += data.lost_packets > 0;
    flows.losses += data.lost_packets;
    flows.packets += static_cast<double>(data.bytes) / data.segment_size;
    flows.rtt_s = std::max(flows.rtt_s, data.rtt.total.min_s);
    begin = std::min(begin, data.first_data);
    end = std::max(end, data.last_data);
    for (const LossEvent& loss : data.losses) note(flows.frames, loss.resend);
    if (flows.first == nullptr) flows.first = connection;
  }
  if (begin < end) flows.seconds = seconds_between(begin, end);
  return flows;
}

void report(const Flows& flows, const IpAddress& receiver, Findings& findings) {
  Finding finding;
  finding.fault = kId;
  finding.connections = flows.ids;
  finding.severity = Severity::suspect;
  finding.confidence = 0.5;
  finding.claim = fmt::format(
      "{} of {} flows to {} lose packets side by side at {} packets a second within one site: one "
      "receive queue may serve them all",
      flows.lossy, flows.ids.size(), to_string(receiver),
      format_count(static_cast<std::uint64_t>(flows.packet_rate())));
  finding.evidence.push_back(shown_by(
      fmt::format("{} lost in {} flows; the round trip is {} at most when idle",
                  counted(flows.losses, "packet"), flows.lossy, format_duration(flows.rtt_s)),
      flows.frames,
      {{"lost_packets", static_cast<double>(flows.losses)},
       {"flows", static_cast<double>(flows.ids.size())},
       {"packets_per_second", flows.packet_rate()}}));
  finding.refuted_by = "counters of several receive queues that grow alike during the transfers";
  finding.after_fix = {std::nullopt, "packets do not show what further queues would carry"};
  finding.wireshark_filter = "tcp.analysis.retransmission";
  finding.next_capture = fmt::format(
      "on {} before and after: grep DEV /proc/interrupts; ethtool -l DEV; ethtool -S DEV "
      "| grep -E 'rx.*(queue|drop|miss)'    and during: mpstat -P ALL 1",
      to_string(receiver));
  findings.list.push_back(std::move(finding));
}

void inspect_path(const Case& facts, const PathFacts& path, Findings& findings) {
  if (path.connections.size() < kFlows) return;
  for (const IpAddress& receiver : {path.a, path.b}) {
    const Flows flows = flows_to(facts, path, receiver);
    if (flows.losses == 0) continue;
    const bool many = flows.ids.size() >= kFlows && flows.losses >= kLosses;
    const bool side_by_side =
        static_cast<double>(flows.lossy) >= kLossyShare * static_cast<double>(flows.ids.size());
    if (!many || !side_by_side || flows.rtt_s > kSiteRtt || flows.packet_rate() < kPacketRate) {
      silent(findings, kId,
             fmt::format("{} of {} flows to {} lost {} packets, at {} a second over {}; {} flows "
                         "within one site are needed",
                         flows.lossy, flows.ids.size(), to_string(receiver), flows.losses,
                         format_count(static_cast<std::uint64_t>(flows.packet_rate())),
                         format_duration(flows.rtt_s), kFlows));
      continue;
    }
    report(flows, receiver, findings);
  }
}

void inspect(const Case& facts, Findings& findings) {
  for (const PathFacts& path : facts.paths) inspect_path(facts, path, findings);
}

}  // namespace

extern const Detector rss_one_queue;
const Detector rss_one_queue{
    .id = kId, .scope = Scope::path, .needs = "eight flows to one host", .inspect = inspect};

}  // namespace slowpath::detect::detectors
