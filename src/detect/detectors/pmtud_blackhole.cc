// SPDX-License-Identifier: Apache-2.0
// pmtud-blackhole: packets above some size vanish and nobody says so (RFC 2923 section 2.1). What
// the user sees: the connection opens, small requests work, anything large hangs. Recognised by an
// edge in delivery by length: nothing at or above a size ever arrived, though it was sent at least
// three times, while smaller packets did and the peer was alive. Any success at or above the size
// clears it, whatever was lost before. Not judged: frames of several segments (lso-not-segmented),
// packets that may be fragmented on the way, and sizes that an ICMP message explains.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/loss_time.h"
#include "detect/policy.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "pmtud-blackhole";

// The catalogue's minimum evidence.
constexpr std::uint64_t kLosses = 3;
// A SYN or SYN-ACK over IPv4 with the usual options: 20 + 40 bytes.
constexpr std::uint32_t kHandshakeIpLen = 60;

struct Edge {
  std::uint32_t passes = 0;  // largest IP length that arrived, of any packet
  std::uint32_t fails = 0;   // smallest that did not
  std::uint64_t sent = 0;    // transmissions above `passes`, one segment each
  Exemplars frames;
};

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

Edge find_edge(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const std::uint32_t full = full_ip_len(transfer) > 0 ? full_ip_len(transfer) : 1500;
  Edge edge;
  edge.passes = data.largest_delivered_ip_len;
  // The handshake arrived, if nothing else did.
  if (edge.passes == 0 && transfer.connection.handshake.completed) edge.passes = kHandshakeIpLen;
  for (const SizeClass& size : data.sizes) {
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

std::optional<std::string> why_not(const Transfer& transfer, const Edge& edge) {
  const DirectionFacts& data = transfer.data();
  if (edge.sent < kLosses) {
    return fmt::format("{} losses above {} bytes, where nothing arrived; {} are needed", edge.sent,
                       edge.passes, kLosses);
  }
  if (data.vantage == Vantage::receiver) {
    return "they were captured where they are received: no size stopped them";
  }
  const Exemplars& asked_again = transfer.connection.syn_copies.syn_acks_after_ack;
  if (transfer.direction == Direction::to_server && asked_again.count > 0 &&
      data.acked_bytes == 0) {
    return fmt::format(
        "the SYN-ACK came again (frame {}) although its ACK had passed here: small "
        "packets vanish as well",
        asked_again.first[0].number());
  }
  if (!data.dont_fragment && transfer.connection.client.address.version == 4) {
    return "the packets may be fragmented, so their size cannot stop them";
  }
  for (const IcmpFacts& icmp : transfer.connection.icmp) {
    const bool too_big = icmp.version == 6 ? icmp.type == 2 : icmp.type == 3 && icmp.code == 4;
    if (too_big && icmp.about == transfer.direction) {
      return fmt::format("a router reports the MTU ({} in frame {}), so this is no black hole",
                         icmp.next_hop_mtu, icmp.frame.number());
    }
  }
  return std::nullopt;
}

double seconds_of(const Transfer& transfer, const Edge& edge) {
  const DirectionFacts& data = transfer.data();
  double unended = 0;
  for (const Stall& stall : data.stalls) {
    if (!stall.ended && stall.smallest_unanswered_ip_len > edge.passes) unended += stall.seconds;
  }
  return std::min(duration_s(transfer.connection), std::max(loss_s(data), unended));
}

Finding describe(const Transfer& transfer, const Edge& edge) {
  const bool complete = edge.passes > 0 && peer_was_alive(transfer);
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = seconds_of(transfer, edge);
  finding.severity = severity_of(complete, finding.seconds_lost, transfer);
  finding.confidence = confidence_of(
      (complete ? 0.85 : 0.6) + 0.1 * how_far(static_cast<double>(edge.sent), 3, 10), transfer);
  finding.claim =
      fmt::format("packets of {} bytes from {} vanish without a word, those of {} bytes pass",
                  edge.fails, name_sender(transfer), edge.passes);
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
  finding.evidence.push_back(
      shown_by("no ICMP message reports an MTU; the packets forbid fragmentation", {}));
  finding.refuted_by = "one packet of that size or more being acknowledged";
  finding.after_fix = after_fix(transfer, finding.seconds_lost);
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
    const Edge edge = find_edge(transfer);
    if (edge.sent == 0) continue;
    if (auto why = why_not(transfer, edge)) {
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
