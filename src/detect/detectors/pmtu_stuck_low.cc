// SPDX-License-Identifier: Apache-2.0
// pmtu-stuck-low: the sender remembers a low path MTU from an earlier connection (RFC 1191 section
// 6.3: for ten minutes). The user sees one host that is a little slower than others. Recognised by
// a bulk transfer whose segments are all cut at one size below what both SYNs offer, from the first
// packet on and without an ICMP message in the capture. The host's route cache proves it.
// Look-alikes: a clamp (it changes the SYN), an application that writes pieces of one size (each is
// pushed), a report that came during the capture (then this is healthy).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/segment_toll.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "pmtu-stuck-low";
constexpr std::uint64_t kPackets = 50;
// So many of the packets have the size of the largest, and it is so far below the MSS.
constexpr double kSameSize = 0.8;
constexpr double kBelowMss = 0.97;
// A bulk transfer has so many segments for each packet of the other side with data.
constexpr std::uint64_t kSegmentsAsked = 4;

/// What both SYNs allow in a segment; 0 = unknown.
std::uint32_t offered(const Transfer& transfer) {
  const SynFacts* receiver = syn_of_receiver(transfer);
  const SynFacts* sender = syn_of_sender(transfer);
  if (receiver == nullptr || sender == nullptr || !receiver->options.has_mss ||
      !sender->options.has_mss)
    return 0;
  const std::uint32_t mss = std::min(receiver->options.mss, sender->options.mss);
  const std::uint32_t stamps = transfer.connection.timestamps_in_use ? 12 : 0;
  return mss > stamps ? mss - stamps : 0;
}

double share_of_largest(const DirectionFacts& data) {
  double all = 0;
  double largest = 0;
  for (const SizeClass& size : data.sizes) {
    all += static_cast<double>(size.first_sent);
    if (size.min_len <= data.largest_ip_len && data.largest_ip_len <= size.max_len) {
      largest += static_cast<double>(size.first_sent);
    }
  }
  return all > 0 ? largest / all : 0;
}

std::optional<std::string> why_not(const Transfer& transfer, std::uint32_t most) {
  const DirectionFacts& data = transfer.data();
  const double share = share_of_largest(data);
  if (share < kSameSize) {
    return fmt::format("{} of {} packets are as large as the largest; {} are needed",
                       format_percent(share), format_count(data.data_packets),
                       format_percent(kSameSize));
  }
  if (data.pushed_small_segments * 4 > data.data_packets || data.app_data_ready_share < 0.5) {
    return "the application may write pieces of this size";
  }
  if (data.flight_max_bytes < 2ULL * data.largest_payload) {
    return "one segment is on the way at a time: a message that was no longer";
  }
  if (transfer.reverse().data_packets * kSegmentsAsked > data.data_packets) {
    return fmt::format("{} packets ask for it: answers that were no longer",
                       format_count(transfer.reverse().data_packets));
  }
  for (const IcmpFacts& icmp : transfer.connection.icmp) {
    if (icmp.about == transfer.direction && icmp.next_hop_mtu > 0) {
      return fmt::format("a router reported an MTU of {} in this capture", icmp.next_hop_mtu);
    }
  }
  if (data.superframes.sent > 0 || !data.dont_fragment)
    return "the frames do not show the sender's segments";
  if (data.largest_payload >= most) return "the segments are as large as the SYNs allow";
  return std::nullopt;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const DirectionFacts& data = transfer.data();
    const std::uint32_t most = offered(transfer);
    if (most == 0 || data.data_packets < kPackets || data.largest_payload >= kBelowMss * most ||
        data.largest_payload < 256)
      continue;
    if (auto why = why_not(transfer, most)) {
      silent(findings, kFault, transfer, std::move(*why));
      continue;
    }
    Finding finding = about(kFault, transfer);
    finding.severity = Severity::suspect;
    finding.seconds_lost = header_toll_s(transfer, data.largest_payload, most);
    finding.confidence = confidence_of(0.6, transfer);
    finding.claim = fmt::format(
        "{} cuts its segments at {} bytes although both ends offer {}, and no router asked for it "
        "here",
        name_sender(transfer), data.largest_payload, most);
    finding.evidence.push_back(shown_by(
        fmt::format("{} of {} packets are {} bytes long", format_percent(share_of_largest(data)),
                    format_count(data.data_packets), data.largest_ip_len),
        {data.largest_delivered_frame},
        {{"largest_ip_len", static_cast<double>(data.largest_ip_len)},
         {"offered_payload", static_cast<double>(most)}}));
    finding.evidence.push_back(shown_by("both SYNs offer more", {syn_of_receiver(transfer)->frame,
                                                                 syn_of_sender(transfer)->frame}));
    finding.refuted_by = fmt::format("ip route get {} on the sender without an 'mtu ... expires'",
                                     to_string(transfer.receiver().address));
    finding.wireshark_filter = stream_filter(transfer.connection, "tcp.len > 0");
    finding.next_capture =
        fmt::format("on {}: ip route get {} (an 'mtu ... expires' shows it)",
                    to_string(transfer.sender().address), to_string(transfer.receiver().address));
    findings.list.push_back(std::move(finding));
  }
}

}  // namespace

extern const Detector pmtu_stuck_low;
const Detector pmtu_stuck_low{.id = kFault,
                              .scope = Scope::direction,
                              .needs = "both SYNs, and single segments where they are seen",
                              .inspect = inspect};

}  // namespace slowpath::detect::detectors
