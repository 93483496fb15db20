// SPDX-License-Identifier: Apache-2.0
// tx-csum-offload-broken, as its victim sees it: frames arrive whole, and the checksums in them are
// wrong. What damages frames on the line shows in the frames' own check sequence. The NIC's counter
// alone proves nothing: many count what they merely cannot check, and the kernel checks it again.
#include <array>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/host_support.h"

namespace slowpath::detect::host {
namespace {

// igb, ixgbe and i40e by their names.
constexpr std::string_view kWrong[] = {"rx_csum_offload_errors", "hw_csum_rx_error", "rx_csum_bad",
                                       "port.rx_csum_bad"};
constexpr std::string_view kDamaged[] = {"rx_crc_errors", "rx_frame_errors"};
constexpr std::string_view kPackets[] = {"rx_packets"};
// What the kernel threw away after its own check.
constexpr std::string_view kConfirmed[] = {"TcpInCsumErrors", "UdpInCsumErrors",
                                           "Udp6InCsumErrors"};
// Of what the NIC counted; the rest may have been handed on to others.
constexpr double kConfirmedShare = 0.1;

/// What the NIC counted, and what the kernel did.
std::vector<HostEvidence> both(const Toll& wrong, const Toll& sums) {
  std::vector<HostEvidence> evidence = wrong.evidence;
  evidence.insert(evidence.end(), sums.evidence.begin(), sums.evidence.end());
  return evidence;
}

HostFinding wrong_at_sender(const InterfaceFacts& interface, const Toll& wrong, const Toll& sums) {
  return {
      .interface = interface.name,  // whose NIC it is, a counter does not tell
      .claim = fmt::format("{} got whole frames with wrong checksums inside: {}", interface.name,
                           wrong.text),
      .value = wrong.text,
      .expected = "almost none",
      .why =
          "they were wrong before they became frames: a sender's NIC that completes "
          "checksums wrongly, or memory of a router on the way",
      .cost = "each one is thrown away and sent again; some senders never get through",
      .evidence = both(wrong, sums),
      .steps = {{Platform::any,
                 "Capture here and ask slowpath diagnose whose segments they are; then try that "
                 "sender with its checksum offload off",
                 std::string(kNothingToUndo), "slowpath(1)"}}};
}

HostFinding not_vouched_for(const InterfaceFacts& interface, const Toll& wrong, const Toll& sums) {
  return {
      .severity = Severity::note,
      .interface = interface.name,
      .claim = fmt::format("{} did not vouch for checksums: {}; {}", interface.name, wrong.text,
                           sums.read ? fmt::format("the kernel, which checks them again, found {} "
                                                   "wrong",
                                                   whole(sums.events))
                                     : "what the kernel found, which checks them again, is not "
                                       "told"),
      .value = wrong.text,
      .expected = "almost none, or as many in TcpInCsumErrors and UdpInCsumErrors",
      .why =
          "such a counter grows with packets that the NIC cannot check, as with those that are "
          "wrong; only the kernel's own counters tell these apart",
      .cost = "the processor's time for checking; nothing is thrown away for it",
      .evidence = both(wrong, sums),
      .steps = {{Platform::any,
                 "nstat -az TcpInCsumErrors UdpInCsumErrors Udp6InCsumErrors, before and after "
                 "some traffic: only where they rise as well is something wrong",
                 std::string(kNothingToUndo), "nstat(8)"}}};
}

bool look(const Host& host, std::vector<HostFinding>& found) {
  const Toll sums = toll_of(host.facts, {.events = kConfirmed, .of = {}});
  bool is_judged = false;
  for (const InterfaceFacts& interface : host.facts.interfaces) {
    if (!is_nic(interface)) continue;
    const Toll wrong = toll_of(host.facts, interface,
                               {.events = kWrong,
                                .of = kPackets,
                                .least_count = 1000,
                                .least_share = 1e-3,
                                .proven_per_s = 1});
    if (!wrong.read) continue;
    is_judged = true;
    const Toll damaged = toll_of(host.facts, interface, {.events = kDamaged, .of = kPackets});
    if (!wrong.severity || damaged.events > 0.1 * wrong.events) continue;
    const bool is_confirmed = sums.read && sums.events >= kConfirmedShare * wrong.events;
    found.push_back(is_confirmed ? wrong_at_sender(interface, wrong, sums)
                                 : not_vouched_for(interface, wrong, sums));
  }
  return is_judged;
}

constexpr std::array kRules{
    HostRule{
        "nic-refused-checksums", Platform::linux, "ethtool -S, nstat -az",
        "rx_csum_offload_errors (hw_csum_rx_error, rx_csum_bad) is 1000 or more and 0.1 % of "
        "the packets, or one a second over an interval, and ten times the damaged frames; a note "
        "unless TcpInCsumErrors and UdpInCsumErrors are a tenth of it",
        look},
};

}  // namespace

extern const HostFault tx_csum_offload_broken;
const HostFault tx_csum_offload_broken{"tx-csum-offload-broken", kRules};

}  // namespace slowpath::detect::host
