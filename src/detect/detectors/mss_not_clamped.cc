// SPDX-License-Identifier: Apache-2.0
// mss-not-clamped: a tunnel takes room from every packet, and neither the MSS nor ICMP tells the
// ends (RFC 4459). The user sees that connections open and large answers hang, through the VPN
// only. Recognised by an edge in delivery by length that a tunnel explains: proved where the
// capture shows the tunnel and the packets that vanish no longer fit its outer link; suspected
// where the edge lies just at what a common encapsulation leaves of 1500 bytes. Look-alikes: the
// same edge for another reason (pmtud-blackhole), a router that does report the MTU.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/arithmetic/packet_size.h"
#include "detect/policy.h"
#include "detect/size_edge.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "mss-not-clamped";
constexpr std::uint32_t kEthernet = 1500;
// An edge known to so many bytes names an encapsulation; a wider one names all of them.
constexpr std::uint32_t kSharp = 128;

/// Names of the encapsulations whose room lies within the edge.
std::string tunnels_at(const SizeEdge& edge) {
  std::string names;
  for (const arithmetic::Tunnel& tunnel : arithmetic::kTunnels) {
    const std::uint32_t mtu = arithmetic::tunnel_mtu(kEthernet, tunnel);
    if (mtu < edge.passes || mtu >= edge.fails) continue;
    if (!names.empty()) names += ", ";
    names += fmt::format("{} ({})", tunnel.name, mtu);
  }
  return names;
}

/// The capture shows the tunnel, and what vanishes is what no longer fits outside.
bool tunnel_explains(const Transfer& transfer, const SizeEdge& edge) {
  const TunnelFacts& tunnel = transfer.connection.beside.tunnel;
  return tunnel.depth > 0 && tunnel.overhead_bytes > 0 &&
         edge.fails + tunnel.overhead_bytes > kEthernet &&
         edge.passes + tunnel.overhead_bytes <= kEthernet;
}

Finding describe(const Transfer& transfer, const SizeEdge& edge, const std::string& names) {
  const TunnelFacts& tunnel = transfer.connection.beside.tunnel;
  const bool complete = tunnel_explains(transfer, edge) && peer_was_alive(transfer);
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = seconds_of_edge(transfer, edge);
  finding.severity = severity_of(complete, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(complete ? 0.9 : 0.55, transfer);
  finding.claim =
      tunnel_explains(transfer, edge)
          ? fmt::format(
                "packets of {} bytes vanish, and with {} bytes of tunnel around them they no "
                "longer fit {}",
                edge.fails, tunnel.overhead_bytes, kEthernet)
          : fmt::format(
                "packets of {} bytes vanish, those of {} pass: what a tunnel leaves of {} ({})",
                edge.fails, edge.passes, kEthernet, names);
  add_edge_evidence(transfer, edge, finding);
  if (tunnel.depth > 0) {
    finding.evidence.push_back(
        {EvidenceKind::frames,
         fmt::format("the connection travels in a tunnel of {} bytes", tunnel.overhead_bytes),
         {transfer.connection.first_frame},
         {{"overhead_bytes", static_cast<double>(tunnel.overhead_bytes)}}});
  }
  finding.refuted_by = "one packet of that size or more being acknowledged";
  finding.wireshark_filter =
      stream_filter(transfer.connection, fmt::format("ip.len >= {}", edge.fails));
  if (!complete) {
    finding.next_capture =
        fmt::format("on {}: ping -M do -s {} {}; and on the tunnel's host: ip -d link",
                    to_string(transfer.sender().address), edge.fails - 28,
                    to_string(transfer.receiver().address));
  }
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const SizeEdge edge = find_size_edge(transfer);
    if (edge.sent == 0 || edge.fails <= edge.passes) continue;
    if (auto why = why_no_edge(transfer, edge)) {
      silent(findings, kFault, transfer, std::move(*why));
      continue;
    }
    const std::string names = tunnels_at(edge);
    const bool sharp =
        edge.fails <= kEthernet && edge.fails - edge.passes <= kSharp && !names.empty();
    if (!sharp && !tunnel_explains(transfer, edge)) {
      silent(findings, kFault, transfer,
             fmt::format("nothing shows a tunnel: the edge lies between {} and {} bytes",
                         edge.passes, edge.fails));
      continue;
    }
    findings.list.push_back(describe(transfer, edge, names));
  }
}

}  // namespace

extern const Detector mss_not_clamped;
const Detector mss_not_clamped{
    .id = kFault,
    .scope = Scope::direction,
    .needs = "data packets of several sizes, at best where the tunnel shows",
    .inspect = inspect};

}  // namespace slowpath::detect::detectors
