// SPDX-License-Identifier: Apache-2.0
// The edge in delivery by length: see size_edge.h.
#include "detect/size_edge.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/plural.h"
#include "detect/loss_time.h"
#include "facts/packet_too_big.h"

namespace slowpath::detect {
namespace {

// The catalogue's minimum evidence.
constexpr std::uint64_t kLosses = 3;
// Smaller packets pass every link in use: 576 is what RFC 791 section 3.1 asks of hosts, 1280 what
// RFC 8200 section 5 asks of links. What stops them is not their length.
constexpr std::uint32_t kSmallest4 = 576;
constexpr std::uint32_t kSmallest6 = 1280;
// A SYN or SYN-ACK over IPv4 with the usual options: 20 + 40 bytes.
constexpr std::uint32_t kHandshakeIpLen = 60;

// A resend that never got an answer is not counted as lost (the capture ended first); the stall has
// it.
std::uint64_t unanswered_in_stalls(const DirectionFacts& data, std::uint32_t passes,
                                   std::uint32_t full) {
  std::uint64_t most = 0;
  for (const Stall& stall : data.stalls) {
    if (stall.smallest_unanswered_ip_len <= passes || stall.smallest_unanswered_ip_len > full)
      continue;
    most = std::max<std::uint64_t>(most, stall.unanswered_sends);
  }
  return most;
}

}  // namespace

SizeEdge find_size_edge(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const std::uint32_t full = full_ip_len(transfer) > 0 ? full_ip_len(transfer) : 1500;
  SizeEdge edge;
  edge.passes = data.largest_delivered_ip_len;
  // The handshake arrived, if nothing else did.
  if (edge.passes == 0 && transfer.connection.handshake.completed) edge.passes = kHandshakeIpLen;
  for (const SizeClass& size : data.sizes) {
    // What is longer than a segment was cut on its way; what that proves largest_delivered_ip_len
    // says.
    if (size.min_len > full) continue;
    if (size.first_delivered + size.resent_delivered > 0)
      edge.passes = std::max(edge.passes, size.min_len);
  }
  std::uint64_t lost = 0;
  for (const SizeClass& size : data.sizes) {
    if (size.min_len <= edge.passes || size.min_len > full) continue;
    if (edge.fails == 0) {
      const bool holds_largest =
          size.min_len <= data.largest_ip_len && data.largest_ip_len <= size.max_len;
      edge.fails = holds_largest ? data.largest_ip_len : size.min_len;
    }
    lost += size.first_lost + size.resent_lost;
    for (std::size_t i = 0; i < size.lost.kept(); ++i) note(edge.frames, size.lost.first[i]);
  }
  edge.sent = std::max(lost, unanswered_in_stalls(data, edge.passes, full));
  return edge;
}

// Something of this sender arrived, or the peer spoke, after the loss had begun.
bool peer_was_alive(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  if (data.duplicate_acks > 0 || data.sack_blocks > 0) return true;
  const Stall* longest = nullptr;
  for (const Stall& stall : data.stalls) {
    if (stall.outstanding_bytes == 0) continue;
    if (longest == nullptr || stall.seconds > longest->seconds) longest = &stall;
  }
  if (longest == nullptr) return false;
  return data.last_reply > longest->begin || data.last_ack > longest->begin ||
         transfer.reverse().last_data > longest->begin;
}

std::optional<std::string> why_no_edge(const Transfer& transfer, const SizeEdge& edge) {
  const DirectionFacts& data = transfer.data();
  if (edge.sent < kLosses) {
    return fmt::format("{} above {} bytes, where nothing arrived; {} are needed",
                       counted(edge.sent, "loss"), edge.passes, kLosses);
  }
  if (!data.acks_seen) {
    return "nothing that the receiver sent was captured: what arrived does not show";
  }
  const std::uint32_t smallest =
      transfer.connection.client.address.version == 6 ? kSmallest6 : kSmallest4;
  if (edge.fails <= smallest) {
    return fmt::format(
        "packets of {} bytes are lost, which every link carries: not for their length", edge.fails);
  }
  if (data.vantage == Vantage::receiver) {
    return "they were captured where they are received: no size stopped them";
  }
  if (!data.dont_fragment && transfer.connection.client.address.version == 4) {
    return "the packets may be fragmented, so their size cannot stop them";
  }
  const Exemplars& asked_again = transfer.connection.syn_copies.syn_acks_after_ack;
  if (transfer.direction == Direction::to_server && asked_again.count > 0 &&
      data.acked_bytes == 0) {
    return fmt::format(
        "the SYN-ACK came again (frame {}) although its ACK had passed here: small "
        "packets vanish as well",
        asked_again.first[0].number());
  }
  for (const IcmpFacts& icmp : transfer.connection.icmp) {
    if (is_packet_too_big(icmp) && icmp.about == transfer.direction && may_be_believed(icmp)) {
      return fmt::format("a router reports the MTU ({} in frame {}), so this is no black hole",
                         icmp.next_hop_mtu, icmp.frame.number());
    }
  }
  return std::nullopt;
}

double seconds_of_edge(const Transfer& transfer, const SizeEdge& edge) {
  const DirectionFacts& data = transfer.data();
  double unended = 0;
  for (const Stall& stall : data.stalls) {
    if (!stall.ended && stall.smallest_unanswered_ip_len > edge.passes) unended += stall.seconds;
  }
  return std::min(duration_s(transfer.connection), std::max(loss_s(data), unended));
}

void add_edge_evidence(const Transfer& transfer, const SizeEdge& edge, Finding& finding) {
  finding.evidence.push_back(shown_by(
      fmt::format("{} transmissions of {} bytes or more, none arrived", edge.sent, edge.fails),
      edge.frames,
      {{"smallest_lost_ip_len_bytes", edge.fails}, {"lost", static_cast<double>(edge.sent)}}));
  if (edge.passes > 0) {
    finding.evidence.push_back(
        shown_by(fmt::format("the largest packet that arrived had {} bytes", edge.passes),
                 {transfer.data().largest_delivered_frame},
                 {{"largest_delivered_ip_len_bytes", edge.passes}}));
  }
}

}  // namespace slowpath::detect
