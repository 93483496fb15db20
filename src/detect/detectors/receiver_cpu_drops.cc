// SPDX-License-Identifier: Apache-2.0
// receiver-cpu-drops: the receiving host drops packets before TCP sees them: ring, backlog, CPU.
// The user sees losses on a network that loses nothing. Two signatures: captured on the receiver
// itself, packets whose checksum is good and that are asked for again all the same; or, at the
// sender, losses at a high packet rate within one site while the round trip stays flat, so that no
// queue of the network overflows. Look-alikes: loss on the path (absent at the receiver's switch as
// well), a capture that drops packets itself, wrong checksums. Counters of the host prove it
// (rx_missed_errors, softnet_stat); a capture alone raises a suspicion and says what to read.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/loss_pattern.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "receiver-cpu-drops";
// Fewer say nothing about where they were lost.
constexpr std::uint64_t kLosses = 20;
constexpr std::uint64_t kEpisodes = 5;
// Within one site: farther away most losses are the path's.
constexpr double kSiteRtt = 0.005;
// Segments a second from which on receiving costs a core something worth noticing.
constexpr double kPacketRate = 5000;

/// Losses of packets that the receiver's own capture shows. Only where all checksums were looked
/// at: a wrong one is reason enough to drop a packet.
std::uint64_t lost_behind_capture(const DirectionFacts& data) {
  const ChecksumFacts& sums = data.checksums;
  const std::uint64_t doubtful = sums.bad + sums.partial + sums.partial_no_length + sums.zero +
                                 sums.unverifiable + sums.bad_superframes;
  if (data.vantage != Vantage::receiver || sums.good == 0 || doubtful > 0) return 0;
  return data.lost_packets > data.lost_before_capture ? data.lost_packets - data.lost_before_capture
                                                      : 0;
}

double packet_rate(const DirectionFacts& data) {
  if (data.segment_size == 0 || data.transfer_s <= 0) return 0;
  return static_cast<double>(data.bytes) / data.segment_size / data.transfer_s;
}

void report(const Transfer& transfer, const LossPattern& pattern, std::uint64_t behind,
            Findings& findings) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kId, transfer);
  finding.severity = Severity::suspect;
  finding.confidence = confidence_of(behind >= kLosses ? 0.7 : 0.5, transfer);
  finding.seconds_lost = data.time[TimeOwner::loss_recovery] + data.time[TimeOwner::timeout];
  if (behind >= kLosses) {
    finding.claim = fmt::format(
        "{} captured {} packets itself and asked for them again: it drops "
        "them behind the capture, before TCP",
        to_string(transfer.receiver()), behind);
  } else {
    finding.claim = fmt::format(
        "{} of {} segments are lost at {} packets a second within one "
        "site, and no queue grows: {} may drop them itself",
        pattern.losses, data.data_packets,
        format_count(static_cast<std::uint64_t>(packet_rate(data))),
        to_string(transfer.receiver()));
  }
  const QueueFacts queue = queue_of(data);
  finding.evidence.push_back(
      shown_by(fmt::format("{} lost in {} flights; round trips of {} under load, {} at least",
                           counted(pattern.losses, "packet"), pattern.episodes,
                           format_duration(queue.loaded_s), format_duration(queue.base_s)),
               pattern.originals,
               {{"lost_packets", static_cast<double>(pattern.losses)},
                {"packets_per_second", packet_rate(data)}}));
  finding.refuted_by =
      "counters of the receiver that stand still while packets are lost (rx_missed, softnet "
      "dropped)";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.analysis.retransmission");
  finding.next_capture = fmt::format(
      "on {} before and after: ethtool -S DEV | grep -E 'miss|drop|no_buf|fifo'; cat "
      "/proc/net/softnet_stat",
      to_string(transfer.receiver().address));
  findings.list.push_back(std::move(finding));
}

void inspect_transfer(const Transfer& transfer, Findings& findings) {
  const DirectionFacts& data = transfer.data();
  if (data.lost_packets == 0) return;
  const LossPattern pattern = loss_pattern(data);
  const std::uint64_t behind = lost_behind_capture(data);
  if (pattern.losses < kLosses || pattern.episodes < kEpisodes) {
    return silent(findings, kId, transfer,
                  fmt::format("{} in {}; {} in {} are needed", counted(pattern.losses, "loss"),
                              counted(pattern.episodes, "flight"), kLosses, kEpisodes));
  }
  if (std::string cause = other_cause_of_loss(transfer); !cause.empty()) {
    return silent(findings, kId, transfer, std::move(cause));
  }
  const QueueFacts queue = queue_of(data);
  const bool at_site = data.vantage != Vantage::receiver && queue.known() &&
                       queue.base_s < kSiteRtt && !queue_builds(queue) &&
                       packet_rate(data) >= kPacketRate;
  if (behind < kLosses && !at_site) {
    return silent(findings, kId, transfer,
                  fmt::format("{} losses were captured at the receiver; {} packets a second over "
                              "{}: nothing points at the host rather than at the path",
                              behind, format_count(static_cast<std::uint64_t>(packet_rate(data))),
                              format_duration(queue.base_s)));
  }
  report(transfer, pattern, behind, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) inspect_transfer(transfer, findings);
}

}  // namespace

extern const Detector receiver_cpu_drops;
const Detector receiver_cpu_drops{.id = kId,
                                  .scope = Scope::direction,
                                  .needs = "20 losses, and round-trip times",
                                  .inspect = inspect};

}  // namespace slowpath::detect::detectors
