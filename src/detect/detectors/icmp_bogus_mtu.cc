// SPDX-License-Identifier: Apache-2.0
// icmp-bogus-mtu: "fragmentation needed" with an MTU that cannot be meant.
// The user sees a black hole, or tiny segments, although a router does speak. Recognised by the
// message itself: no MTU at all (routers from before RFC 1191), one below what every link must
// carry (68, RFC 791; 1280, RFC 8200), one that the packet it is about already keeps to, or a quote
// of bytes that are not in flight (RFC 5927 section 7). Look-alikes: a message about a packet of
// several segments that nobody sent so (icmp-fragneeded-coalesced), a true report (icmp-filtered
// when it is not heeded).
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/policy.h"
#include "detect/reported_mtu.h"
#include "detect/segment_toll.h"
#include "detect/size_edge.h"
#include "facts/packet_too_big.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "icmp-bogus-mtu";

/// A merged packet is about several segments: its MTU is right, the packet is not.
bool is_about_merged(const IcmpFacts& icmp) {
  return icmp.largest_sent_ip_len > 0 && icmp.quoted_ip_len > icmp.largest_sent_ip_len;
}

/// Packets got smaller after it; most are no larger than the MTU anyway.
bool was_believed(const IcmpFacts& icmp) {
  return icmp.sender_shrank && icmp.next_hop_mtu > 0 &&
         icmp.next_hop_mtu < icmp.largest_sent_ip_len;
}

/// Why the MTU cannot be meant, or empty.
std::string_view impossible(const IcmpFacts& icmp) {
  if (!is_packet_too_big(icmp) || is_about_merged(icmp)) return {};
  if (icmp.next_hop_mtu == 0) return "names no MTU";
  if (icmp.next_hop_mtu < least_mtu(icmp)) return "is below what every link carries";
  if (icmp.next_hop_mtu >= icmp.quoted_ip_len && icmp.quoted_ip_len > 0)
    return "is kept by the very packet it refuses";
  if (!icmp.sequence_in_flight && was_believed(icmp))
    return "is about bytes that were not in flight, and was believed";
  return {};
}

struct Reports {
  std::uint64_t count = 0;
  std::string_view why;
  const IcmpFacts* first = nullptr;
  bool believed = false;
  Exemplars frames;
};

Reports find_reports(const Transfer& transfer) {
  Reports reports;
  for (const IcmpFacts& icmp : transfer.connection.icmp) {
    if (icmp.about != transfer.direction) continue;
    const std::string_view why = impossible(icmp);
    if (why.empty()) continue;
    ++reports.count;
    note(reports.frames, icmp.frame);
    reports.believed = reports.believed || was_believed(icmp);
    if (reports.first == nullptr) {
      reports.first = &icmp;
      reports.why = why;
    }
  }
  return reports;
}

double cost_s(const Transfer& transfer, const Reports& reports) {
  const DirectionFacts& data = transfer.data();
  const double lost = seconds_of_edge(transfer, find_size_edge(transfer));
  if (!reports.believed || data.data_packets == 0) return lost;
  const auto average = static_cast<std::uint32_t>(data.bytes / data.data_packets);
  return std::max(lost, header_toll_s(transfer, average, usual_segment(transfer.connection)));
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : all_transfers(facts)) {
    const Reports reports = find_reports(transfer);
    if (reports.count == 0) continue;
    const IcmpFacts& first = *reports.first;
    Finding finding = about(kFault, transfer);
    finding.seconds_lost = cost_s(transfer, reports);
    finding.severity = severity_of(true, finding.seconds_lost, transfer);
    finding.confidence =
        confidence_of(0.85 + 0.1 * how_far(static_cast<double>(reports.count), 1, 4), transfer);
    finding.claim =
        fmt::format("{} refuses packets of {} and reports an MTU of {}, which {}",
                    to_string(first.from), name_sender(transfer), first.next_hop_mtu, reports.why);
    finding.evidence.push_back(
        shown_by(counted(reports.count, "such message"), reports.frames,
                 {{"next_hop_mtu_bytes", static_cast<double>(first.next_hop_mtu)},
                  {"quoted_ip_len_bytes", static_cast<double>(first.quoted_ip_len)}}));
    if (first.quoted_frame) {
      finding.evidence.push_back(
          shown_by("the packet that it is about", {first.quoted_frame},
                   {{"ip_len_bytes", static_cast<double>(first.quoted_frame_ip_len)}}));
    }
    finding.refuted_by = "a link on the path with this MTU";
    finding.wireshark_filter =
        first.version == 6 ? "icmpv6.type == 2" : "icmp.type == 3 && icmp.code == 4";
    findings.list.push_back(std::move(finding));
  }
}

}  // namespace

extern const Detector icmp_bogus_mtu;
const Detector icmp_bogus_mtu{
    .id = kFault, .scope = Scope::direction, .needs = "the ICMP message", .inspect = inspect};

}  // namespace slowpath::detect::detectors
