// SPDX-License-Identifier: Apache-2.0
// pmtud-blackhole: packets above some size vanish and nobody says so (RFC 2923 section 2.1). What
// the user sees: the connection opens, small requests work, anything large hangs. Recognised by an
// edge in delivery by length: nothing at or above a size ever arrived, though it was sent at least
// three times, while smaller packets did and the peer was alive. Any success at or above the size
// clears it, whatever was lost before. Not judged: frames of several segments (lso-not-segmented),
// packets that may be fragmented on the way, and sizes that an ICMP message explains which its
// receiver may believe.
#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/policy.h"
#include "detect/size_edge.h"
#include "facts/packet_too_big.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "pmtud-blackhole";

/// Reports that a sender must not believe: an edge was found, so there are no others.
struct Unbelievable {
  const IcmpFacts* first = nullptr;
  Exemplars frames;
};

Unbelievable unbelievable_reports(const Transfer& transfer) {
  Unbelievable reports;
  for (const IcmpFacts& icmp : transfer.connection.icmp) {
    if (!is_packet_too_big(icmp) || icmp.about != transfer.direction) continue;
    if (reports.first == nullptr) reports.first = &icmp;
    note(reports.frames, icmp.frame);
  }
  return reports;
}

/// A router that the path has: what it says of lengths is what is seen of them.
bool agree(const Unbelievable& reports, const SizeEdge& edge) {
  return reports.first != nullptr && reports.first->next_hop_mtu >= edge.passes &&
         reports.first->next_hop_mtu < edge.fails;
}

std::string without_a_word(const Unbelievable& reports) {
  if (reports.first == nullptr) return "vanish without a word";
  return fmt::format("vanish, and what {} reports, an MTU of {}, cannot be believed",
                     to_string(reports.first->from), reports.first->next_hop_mtu);
}

Evidence evidence_of_reports(const Unbelievable& reports) {
  if (reports.first == nullptr) {
    return shown_by("no ICMP message reports an MTU; the packets forbid fragmentation", {});
  }
  return shown_by(
      fmt::format("{} of an MTU quote sequence numbers that were not in flight, which TCP must not "
                  "believe (RFC 5927 section 4.1): a middlebox that rewrites sequence numbers, and "
                  "not those in ICMP, makes such ones",
                  counted(reports.frames.count, "report")),
      reports.frames, {{"next_hop_mtu_bytes", reports.first->next_hop_mtu}});
}

Finding describe(const Transfer& transfer, const SizeEdge& edge) {
  const Unbelievable reports = unbelievable_reports(transfer);
  const bool complete = edge.passes > 0 && (peer_was_alive(transfer) || agree(reports, edge));
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = seconds_of_edge(transfer, edge);
  finding.severity = severity_of(complete, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      (complete ? 0.85 : 0.6) + 0.1 * how_far(static_cast<double>(edge.sent), 3, 10), transfer);
  finding.claim = fmt::format("packets of {} bytes from {} {}; those of {} bytes pass", edge.fails,
                              name_sender(transfer), without_a_word(reports), edge.passes);
  add_edge_evidence(transfer, edge, finding);
  finding.evidence.push_back(evidence_of_reports(reports));
  finding.refuted_by = "one packet of that size or more being acknowledged";
  finding.wireshark_filter =
      stream_filter(transfer.connection, fmt::format("ip.len >= {}", edge.fails));
  if (!complete) {
    finding.next_capture = fmt::format(
        "on {}: ping -M do -s {} {}; and at the receiver: {}", to_string(transfer.sender().address),
        edge.fails > 28 ? edge.fails - 28 : 0, to_string(transfer.receiver().address),
        capture_command(transfer.connection, "receiver.pcap"));
  }
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const SizeEdge edge = find_size_edge(transfer);
    if (edge.sent == 0) continue;
    if (auto why = why_no_edge(transfer, edge)) {
      silent(findings, kFault, transfer, std::move(*why));
      continue;
    }
    findings.list.push_back(describe(transfer, edge));
  }
}

}  // namespace

extern const Detector pmtud_blackhole;
const Detector pmtud_blackhole{.id = kFault,
                               .scope = Scope::direction,
                               .needs = "data packets of several sizes",
                               .inspect = inspect};

}  // namespace slowpath::detect::detectors
