// SPDX-License-Identifier: Apache-2.0
// ack-path-congestion: the way back is full, and ACKs wait there or are lost (RFC 3449).
// What the user sees: a fast download on a line whose upload is slow or busy stays far below its
// rate. Recognised by round trips that grow while only the way of the ACKs takes longer: the
// receiver's timestamps say when each ACK left (RFC 7323). Look-alikes: a queue on the data's way
// (bufferbloat, congestion-self), a receiver that merges segments and so sends few ACKs, a receiver
// that answers late: all of these lengthen the data's way here, or none.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/ack_way.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "ack-path-congestion";
// As for a queue on the data's way (bufferbloat.cc): what people notice, and it at least doubles
// the round trip.
constexpr double kAddedSeconds = 0.100;
constexpr double kRatio = 2;
// Fewer round trips are a burst's.
constexpr double kRounds = 5;

/// Of the waiting for ACKs, the part that their way back made. Away from the sender nobody sees
/// which of its sends an ACK clocked that waited on its way: they look like the sender's own.
double waited_s(const DirectionFacts& data, const WaysOfTrip& ways) {
  const double waiting = data.time[TimeOwner::bottleneck] + data.time[TimeOwner::slow_start] +
                         data.time[TimeOwner::congestion_window] +
                         data.time[TimeOwner::receive_window] +
                         (ways.at_sender ? 0 : data.time[TimeOwner::pacing_or_cpu]);
  const double trip_s = std::max(data.rtt.total.median_s, ways.ack_median_s);
  return trip_s > 0 ? waiting * ways.ack_median_s / trip_s : 0;
}

/// Segments that one ACK stands for; 0 = not known.
double segments_an_ack(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const DirectionFacts& back = transfer.reverse();
  const std::uint64_t acks = back.packets - std::min(back.packets, back.data_packets);
  if (acks == 0 || data.segment_size == 0) return 0;
  return static_cast<double>(data.acked_bytes) / data.segment_size / static_cast<double>(acks);
}

void report(const Transfer& transfer, const WaysOfTrip& ways, double base_s, bool complete,
            Findings& findings) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kId, transfer);
  finding.seconds_lost = std::min(waited_s(data, ways), active_s(transfer.connection));
  finding.severity = severity_of(complete, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      complete ? 0.85 + 0.1 * how_far(ways.ack_s, kAddedSeconds, 5 * kAddedSeconds) : 0.6,
      transfer);
  finding.claim = fmt::format(
      "ACKs of {} wait on their way back to {}: that way takes {} more than at its least, the "
      "data's way {}",
      to_string(transfer.receiver()), to_string(transfer.sender()), format_duration(ways.ack_s),
      format_duration(ways.data_s));
  finding.evidence.push_back(shown_by(
      fmt::format(
          "the receiver's timestamps part each round trip ({} of them, ticks of "
          "{}): of {} the ACK's way makes {} (median)",
          std::max(data.ways.receiver_leg.samples, data.ways.sender_leg.samples),
          format_duration(std::max(data.ways.receiver_leg.tick_s, data.ways.sender_leg.tick_s)),
          format_duration(data.rtt.total.median_s), format_duration(ways.ack_s)),
      {},
      {{"ack_way_growth_us", ways.ack_s * 1e6},
       {"data_way_growth_us", ways.data_s * 1e6},
       {"rtt_min_us", base_s * 1e6}}));
  if (const double segments = segments_an_ack(transfer); segments > 0) {
    finding.evidence.push_back(shown_by(fmt::format("one ACK came for {:.1f} segments", segments),
                                        {}, {{"segments_an_ack", segments}}));
  }
  finding.refuted_by =
      "ACKs that arrive as late in a capture at the receiver: then it is the receiver that waits";
  finding.after_fix = {std::nullopt,
                       "what the path carries to the receiver hardly shows while its ACKs wait"};
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.ack_rtt");
  finding.next_capture =
      capture_command(transfer.connection, complete ? "receiver.pcap" : "sender.pcap");
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const WaysOfTrip ways = ways_of(data);
  if (!ways.known) {
    return silent(findings, kId, transfer,
                  "no timestamps that tell the way of the data from that of the ACKs");
  }
  const double base_s = least_rtt_s(data.rtt);
  const bool doubles = base_s + ways.ack_s >= kRatio * base_s;
  // Where a quartile keeps the sender's waiting out, the median tells how long ACKs waited.
  const double added_s = ways.at_sender ? ways.ack_s : ways.ack_median_s;
  if (!queue_is_on_ack_way(data) || !doubles || added_s < kAddedSeconds) {
    return silent(findings, kId, transfer,
                  fmt::format("the ACKs' way takes {} more than at its least, the data's {}, of "
                              "round trips of {}",
                              format_duration(ways.ack_s), format_duration(ways.data_s),
                              format_duration(data.rtt.total.median_s)));
  }
  if (data.transfer_s - data.timeout_s < kRounds * ways.ack_s) {
    return silent(findings, kId, transfer, "the transfer ends before a queue could stand");
  }
  report(transfer, ways, base_s, ways.at_sender, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (transfer.data().rtt.total.samples > 0) inspect_transfer(transfer, findings);
  }
}

}  // namespace

extern const Detector ack_path_congestion;
const Detector ack_path_congestion{
    .id = kId,
    .scope = Scope::direction,
    .needs = "timestamps of the end that is far from the capture point, and 20 round trips",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors
