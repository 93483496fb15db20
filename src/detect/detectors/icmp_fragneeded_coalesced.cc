// SPDX-License-Identifier: Apache-2.0
// icmp-fragneeded-coalesced: a gateway answers "fragmentation needed" (RFC 792, RFC 8201) about a
// packet that nobody on the wire sent: it, or the virtual switch before it, merged several segments
// and then found the result too large. What the user sees: bursts die, lone segments pass, a flight
// per timeout. Recognised by the quoted length: k segments in one packet, above the very MTU that
// the message reports, while every segment fits that MTU. One such message is proof. On a link that
// is really smaller the sender's own packets exceed the reported MTU; in a forged message the
// quoted sequence number is not in flight.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/loss_time.h"
#include "detect/policy.h"
#include "facts/packet_too_big.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "icmp-fragneeded-coalesced";

struct Reports {
  std::uint64_t count = 0;
  std::uint64_t exact = 0;  // quoted length = headers + k segments, k >= 2
  const IcmpFacts* best = nullptr;
  std::uint32_t segments = 0;  // k of the best
  double resend_delay_s = 0;
  Exemplars frames;
};

bool fits_what_was_sent(const IcmpFacts& icmp, std::uint32_t full) {
  return icmp.next_hop_mtu >= std::max(icmp.largest_sent_ip_len, full) && icmp.next_hop_mtu > 0;
}

/// What the sender's own link carries, as its SYN tells; else what most do.
std::uint32_t link_ip_len(const Transfer& transfer) {
  constexpr std::uint32_t kUsual = 1500;
  const SynFacts* own = syn_of_sender(transfer);
  if (own == nullptr || !own->options.has_mss) return kUsual;
  return own->options.mss + (transfer.connection.client.address.version == 6 ? 60U : 40U);
}

/// Whether one segment may have been so long. Without the receiver's SYN nothing says that none
/// was: those that were seen may be what the sender made of this very message.
bool may_be_one_segment(const Transfer& transfer, const IcmpFacts& icmp) {
  return syn_of_receiver(transfer) == nullptr && icmp.quoted_ip_len <= link_ip_len(transfer);
}

Reports find_reports(const Transfer& transfer) {
  Reports reports;
  const std::uint32_t full = full_ip_len(transfer);
  const std::uint32_t headers = header_bytes(transfer.connection);
  const std::uint32_t segment = transfer.data().segment_size;
  for (const IcmpFacts& icmp : transfer.connection.icmp) {
    if (icmp.about != transfer.direction || !is_packet_too_big(icmp)) continue;
    if (!icmp.sequence_in_flight || !fits_what_was_sent(icmp, full)) continue;
    if (icmp.quoted_ip_len <= icmp.next_hop_mtu || may_be_one_segment(transfer, icmp)) continue;
    const std::uint32_t payload = icmp.quoted_ip_len - std::min(icmp.quoted_ip_len, headers);
    const bool exact = segment > 0 && payload % segment == 0 && payload / segment >= 2;
    ++reports.count;
    reports.exact += exact ? 1 : 0;
    reports.resend_delay_s += icmp.resend_delay_s;
    note(reports.frames, icmp.frame);
    if (reports.best == nullptr || (exact && reports.exact == 1)) {
      reports.best = &icmp;
      reports.segments = segment > 0 ? payload / segment : 0;
    }
  }
  return reports;
}

std::string claim_of(const IcmpFacts& icmp) {
  // At the sender the large packet may be seen: left to the NIC to cut, it reached the gateway
  // whole.
  const std::string_view what = icmp.quoted_frame_ip_len >= icmp.quoted_ip_len
                                    ? "that was to be cut into segments on the way to it"
                                    : "that never was on the wire";
  return fmt::format(
      "{} refuses a packet of {} bytes {}, reporting an MTU of {} that every segment fits",
      to_string(icmp.from), icmp.quoted_ip_len, what, icmp.next_hop_mtu);
}

Finding describe(const Transfer& transfer, const Reports& reports) {
  const DirectionFacts& data = transfer.data();
  const IcmpFacts& icmp = *reports.best;
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = std::max(loss_s(data), std::min(reports.resend_delay_s, data.transfer_s));
  finding.severity = severity_of(true, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(reports.exact > 0 ? 0.97 : 0.85, transfer);
  finding.claim = claim_of(icmp);
  finding.evidence.push_back(
      shown_by(reports.exact > 0
                   ? fmt::format("the quoted length {} is {} of headers and {} segments of {}",
                                 icmp.quoted_ip_len, header_bytes(transfer.connection),
                                 reports.segments, data.segment_size)
                   : fmt::format("the quoted length {} exceeds the {} bytes that one segment makes",
                                 icmp.quoted_ip_len, full_ip_len(transfer)),
               {icmp.frame, icmp.quoted_frame},
               {{"quoted_ip_len_bytes", icmp.quoted_ip_len},
                {"next_hop_mtu_bytes", icmp.next_hop_mtu},
                {"largest_sent_ip_len_bytes", icmp.largest_sent_ip_len}}));
  finding.evidence.push_back(shown_by(counted(reports.count, "such message"), reports.frames,
                                      {{"icmp_messages", static_cast<double>(reports.count)},
                                       {"resend_delay_s", reports.resend_delay_s}}));
  if (data.largest_delivered_frame) {
    finding.evidence.push_back(
        shown_by(fmt::format("packets of {} bytes pass", data.largest_delivered_ip_len),
                 {data.largest_delivered_frame}));
  }
  finding.refuted_by = "a link behind that gateway whose MTU is below the sender's packets";
  finding.wireshark_filter = stream_filter(transfer.connection, "icmp.type == 3 && icmp.code == 4");
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : all_transfers(facts)) {
    const Reports reports = find_reports(transfer);
    if (reports.best != nullptr) {
      findings.list.push_back(describe(transfer, reports));
      continue;
    }
    const auto others = std::ranges::count_if(transfer.connection.icmp, [&](const IcmpFacts& icmp) {
      return icmp.about == transfer.direction && is_packet_too_big(icmp);
    });
    if (others > 0) {
      silent(
          findings, kFault, transfer,
          fmt::format("{} messages that a packet was too big, each about one that was sent so, or "
                      "not in flight",
                      others));
    }
  }
}

}  // namespace

extern const Detector icmp_fragneeded_coalesced;
const Detector icmp_fragneeded_coalesced{
    .id = kFault, .scope = Scope::direction, .needs = "the ICMP message", .inspect = inspect};

}  // namespace slowpath::detect::detectors
