// SPDX-License-Identifier: Apache-2.0
// mtu-needlessly-small: MTU or MSS far below what the path carries.
// The user sees twice the packets and a slow start for the same bytes. Recognised by an MSS option
// of one end that is missing (then 536 counts, RFC 9293 section 3.7.1) or far below Ethernet's,
// while the other end offers a full one, in a transfer that fills such segments. Whether the path
// carries more only a test with DF shows. Look-alikes: a clamp for a tunnel (the path's edge is the
// clamp), small messages, a path MTU learnt on the way (pmtu-stuck-low: the SYNs are full).
#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/segment_toll.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "mtu-needlessly-small";
// RFC 9293 section 3.7.1 without the option; over IPv6 1220.
constexpr std::uint32_t kDefault4 = 536;
constexpr std::uint32_t kDefault6 = 1220;
// Tunnels take up to 200 bytes or two of them 300; from here on nothing of that kind explains it.
constexpr std::uint32_t kSmall = 1100;
constexpr std::uint64_t kSegments = 100;

// Where the capture did not keep what was announced.
constexpr std::uint32_t kUsual = 1460;

struct Announced {
  std::uint32_t mss = 0;
  bool missing = false;
};

Announced announced_by(const SynFacts& syn, bool ipv6) {
  if (syn.options.has_mss) return {syn.options.mss, false};
  if (!syn.options.lacks_mss()) return {kUsual, false};
  return {ipv6 ? kDefault6 : kDefault4, true};
}

bool is_small(const Announced& announced, bool ipv6) {
  return announced.missing || announced.mss <= (ipv6 ? kDefault6 : kSmall);
}

void report(const Transfer& transfer, const SynFacts& syn, const Announced& announced,
            Findings& findings) {
  const DirectionFacts& data = transfer.data();
  Finding finding = about(kFault, transfer);
  finding.severity = Severity::suspect;
  finding.seconds_lost =
      header_toll_s(transfer, data.largest_payload, usual_segment(transfer.connection));
  finding.confidence = confidence_of(announced.missing ? 0.7 : 0.6, transfer);
  finding.claim = fmt::format(
      "{} announces {}, so {} travel in {} packets of at most {} bytes", name_receiver(transfer),
      announced.missing ? std::string("no MSS") : fmt::format("an MSS of {}", announced.mss),
      format_bytes(static_cast<double>(data.bytes)), format_count(data.data_packets),
      data.largest_ip_len);
  finding.evidence.push_back(
      shown_by(announced.missing ? "its SYN carries no MSS option" : "its SYN", {syn.frame},
               {{"mss_bytes", static_cast<double>(announced.mss)}}));
  if (const SynFacts* other = syn_of_sender(transfer)) {
    finding.evidence.push_back(shown_by("the other end offers a full segment", {other->frame},
                                        {{"mss_bytes", static_cast<double>(other->options.mss)}}));
  }
  finding.refuted_by = "the largest packet that passes with DF being no larger than these";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.flags.syn == 1");
  finding.next_capture =
      fmt::format("on {}: ping -M do -s 1472 {}; ip link; ip route get {}",
                  to_string(transfer.receiver().address), to_string(transfer.sender().address),
                  to_string(transfer.sender().address));
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const SynFacts* receiver = syn_of_receiver(transfer);
    const SynFacts* sender = syn_of_sender(transfer);
    if (receiver == nullptr || sender == nullptr) continue;
    const bool ipv6 = transfer.connection.client.address.version == 6;
    const Announced announced = announced_by(*receiver, ipv6);
    if (!is_small(announced, ipv6)) continue;
    const DirectionFacts& data = transfer.data();
    if (is_small(announced_by(*sender, ipv6), ipv6)) {
      silent(findings, kFault, transfer,
             "both ends announce it: the link between them may be like that");
    } else if (data.bytes < kSegments * announced.mss ||
               data.largest_payload * 10 < announced.mss * 9) {
      silent(findings, kFault, transfer,
             fmt::format("{} in packets of at most {} bytes: an MSS of {} did not matter",
                         format_bytes(static_cast<double>(data.bytes)), data.largest_ip_len,
                         announced.mss));
    } else {
      report(transfer, *receiver, announced, findings);
    }
  }
}

}  // namespace

extern const Detector mtu_needlessly_small;
const Detector mtu_needlessly_small{
    .id = kFault, .scope = Scope::direction, .needs = "both SYNs", .inspect = inspect};

}  // namespace slowpath::detect::detectors
