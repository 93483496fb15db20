// SPDX-License-Identifier: Apache-2.0
// sender-cpu-limited: the sending host cannot produce packets faster.
// The user sees a rate below the link's although the receive window is open and nothing is lost.
// Recognised by gaps between packets that no ACK ends and that no link explains. First the
// serialisation is computed: a frame of 9038 bytes takes 7.23 us at 10 Gbit/s, so gaps of 7 to 10
// us between jumbo frames are that link and no slow CPU. Look-alikes: that, pacing (fq and BBR
// space packets out at length / pacing rate, evenly), an application without data (its last packet
// before a gap is short), a few long pauses between fast bursts. Packets cannot show a CPU, and
// what a faster one would send is unknown: this is a suspicion without a price, with the commands
// that would tell.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/arithmetic/packet_size.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "sender-cpu-limited";
// So many gaps make a histogram.
constexpr std::uint64_t kGaps = 200;
// Of the transfer's time, in such gaps.
constexpr double kShare = 0.30;
// "Roomy": half of what the receiver allows was never used.
constexpr double kWindowShare = 0.5;
constexpr double kLossShare = 0.0002;
constexpr double kQuietRatio = 1.2;
// Less than this is host jitter, whatever the ratio.
constexpr double kQuietSeconds = 0.002;
// A link that is full, and one that is nearly: gaps a third longer than its serialisation.
constexpr double kFullest = 1.05, kNearlyFull = 0.7;
// The usual gaps are a good part of the time that gaps took: else few long ones did, each with a
// reason of its own, and the rhythm is only that of the bursts between them.
constexpr double kRhythmShare = 0.5;
// Pacing spaces evenly; programs that wait for their turn on a CPU do not.
constexpr double kUneven = 1.5;

// Ethernet, IEEE 802.3.
constexpr std::array<double, 10> kLinksBps{10e6, 100e6, 1e9,  2.5e9, 5e9,
                                           10e9, 25e9,  40e9, 50e9,  100e9};

/// On the wire, cut into segments.
double wire_bytes_of(const Transfer& transfer, double payload) {
  const DirectionFacts& data = transfer.data();
  const double segments =
      std::max(1.0, payload / static_cast<double>(std::max<std::uint32_t>(data.segment_size, 1)));
  const double ip = transfer.sender().address.version == 6 ? 40 : 20;
  const double tcp =
      20 + (transfer.connection.timestamps_in_use ? arithmetic::kTimestampsBytes : 0);
  return payload + segments * (ip + tcp + arithmetic::kEthernetOverheadBytes);
}

/// The link whose serialisation is the gap, or 0.
double explaining_link_bps(double wire_bytes, double gap_s) {
  const double rate = wire_bytes * 8 / gap_s;
  for (const double link : kLinksBps) {
    if (rate <= kFullest * link && rate >= kNearlyFull * link) return link;
  }
  return 0;
}

/// Why the gaps are no sign of a busy CPU; empty when they may be.
std::string why_not(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const double share = data.time.share(TimeOwner::pacing_or_cpu);
  if (data.spacing.gaps < kGaps || share < kShare) {
    return fmt::format("{} that no ACK ended, {} of the time; {} and {} are needed",
                       counted(data.spacing.gaps, "gap"), format_percent(share), kGaps,
                       format_percent(kShare));
  }
  if (data.vantage != Vantage::sender) return "only at the sender gaps are the sender's own";
  if (static_cast<double>(data.lost_packets) >
      kLossShare * static_cast<double>(data.data_packets)) {
    return fmt::format("{} lost: losses slow a sender down", counted(data.lost_packets, "packet"));
  }
  if (data.window.knowledge == ScaleKnowledge::unknown ||
      static_cast<double>(data.flight_max_bytes) >
          kWindowShare * static_cast<double>(data.window.max_bytes)) {
    return "the receive window is not roomy";
  }
  const QueueFacts queue = queue_of(data);
  if (!queue.known() || (queue.ratio() > kQuietRatio && queue.added_s() > kQuietSeconds)) {
    return "the path queues, or its round trips are not known";
  }
  const double wire_bytes = wire_bytes_of(transfer, data.spacing.median_bytes);
  if (const double link = explaining_link_bps(wire_bytes, data.spacing.median_s); link > 0) {
    return fmt::format(
        "gaps of {} (median) after {:.0f} bytes on the wire, which take {} at {}: "
        "a link's serialisation explains them",
        format_duration(data.spacing.median_s), wire_bytes,
        format_duration(arithmetic::serialisation_s(wire_bytes, link)), format_rate(link));
  }
  const double rhythm_s = data.spacing.p90_s * static_cast<double>(data.spacing.gaps);
  const double gaps_s = data.time[TimeOwner::pacing_or_cpu];
  if (rhythm_s < kRhythmShare * gaps_s) {
    return fmt::format("{} of at most {} are {} of {}: few long ones are the rest, and no rhythm",
                       counted(data.spacing.gaps, "gap"), format_duration(data.spacing.p90_s),
                       format_duration(rhythm_s), format_duration(gaps_s));
  }
  if (data.spacing.p90_s < kUneven * data.spacing.p10_s) {
    return fmt::format("gaps of {} to {} are even: pacing", format_duration(data.spacing.p10_s),
                       format_duration(data.spacing.p90_s));
  }
  return {};
}

void report(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  const double wire_bytes = wire_bytes_of(transfer, data.spacing.median_bytes);
  Finding finding = about(kId, transfer);
  finding.severity = Severity::suspect;
  finding.confidence = confidence_of(0.5, transfer);
  finding.claim = fmt::format(
      "{} sends at a rhythm of its own, a packet of {:.0f} bytes each {} (median), although window "
      "and path allow more: its CPU, its pacing or its application holds it at {}",
      to_string(transfer.sender()), data.spacing.median_bytes,
      format_duration(data.spacing.median_s), format_rate(data.goodput_bps));
  finding.evidence.push_back(shown_by(
      fmt::format("{} that no ACK ended: {} (10 %), {} (median), {} (90 %); {} of the time",
                  counted(data.spacing.gaps, "gap"), format_duration(data.spacing.p10_s),
                  format_duration(data.spacing.median_s), format_duration(data.spacing.p90_s),
                  format_percent(data.time.share(TimeOwner::pacing_or_cpu))),
      {},
      {{"gap_median_us", data.spacing.median_s * 1e6},
       {"gap_p10_us", data.spacing.p10_s * 1e6},
       {"gap_p90_us", data.spacing.p90_s * 1e6}}));
  finding.evidence.push_back(
      shown_by(fmt::format("{:.0f} bytes on the wire in {} are {}: no Ethernet link's rate, so "
                           "serialisation does not explain it",
                           wire_bytes, format_duration(data.spacing.median_s),
                           format_rate(wire_bytes * 8 / data.spacing.median_s)),
               {}, {{"wire_bytes", wire_bytes}}));
  finding.evidence.push_back(
      shown_by(fmt::format("{} lost; at most {} of a window of {} in flight",
                           counted(data.lost_packets, "packet"),
                           format_bytes(static_cast<double>(data.flight_max_bytes)),
                           format_bytes(static_cast<double>(data.window.max_bytes))),
               {}, {{"flight_max_bytes", static_cast<double>(data.flight_max_bytes)}}));
  finding.refuted_by =
      "every core of the sender idle, or ss -tin there with a pacing_rate of this rate";
  finding.after_fix = {std::nullopt, "packets do not show what a faster sender would reach"};
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.len > 0");
  finding.next_capture = fmt::format(
      "on {} during the transfer: mpstat -P ALL 1    and: {} (pacing_rate, "
      "app_limited)",
      to_string(transfer.sender().address), socket_command(transfer.receiver().address));
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    if (transfer.data().spacing.gaps == 0) continue;
    if (std::string why = why_not(transfer); !why.empty()) {
      silent(findings, kId, transfer, std::move(why));
    } else {
      report(transfer, findings);
    }
  }
}

}  // namespace

extern const Detector sender_cpu_limited;
const Detector sender_cpu_limited{
    .id = kId,
    .scope = Scope::direction,
    .needs = "a capture at the sender, with 200 gaps that no ACK ends",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors
