// SPDX-License-Identifier: Apache-2.0
// SYNs that ask for more than the path allows: see syn_fallback.h.
#include "detect/syn_fallback.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/synthesis_steps.h"

namespace slowpath::detect {
namespace {

// With one lost SYN in a thousand, two of two are no chance; nor is one on a path that carried so
// many other packets without a loss.
constexpr std::uint32_t kPairs = 2;
constexpr std::uint64_t kLosslessPackets = 1000;

std::uint64_t lossless_packets(const ConnectionFacts& connection) {
  std::uint64_t packets = 0;
  for (const DirectionFacts& direction : connection.directions) {
    if (direction.lost_packets + direction.lost_before_capture + direction.resent_packets > 0)
      return 0;
    packets += direction.packets;
  }
  return packets;
}

void count_pair(const ConnectionFacts& connection, AsksForMore asks, SynFallback& fallback) {
  const std::vector<SynFacts>& syns = connection.syn_copies.syns;
  const auto plain = std::ranges::find_if_not(syns, asks);
  if (plain == syns.end() || plain == syns.begin()) return;
  const auto copies = static_cast<std::uint32_t>(plain - syns.begin());
  // The answer came to a SYN without it, and to the first of them: those do not get lost.
  const auto lost_without = static_cast<std::uint32_t>(syns.end() - plain) - 1;
  fallback.lost_without += lost_without;
  if (lost_without > 0 || !connection.handshake.syn_ack) return;
  if (connection.handshake.syn_ack->time < plain->time) return;
  ++fallback.pairs;
  fallback.connections.push_back(connection.id);
  for (auto syn = syns.begin(); syn != plain; ++syn) note(fallback.with, syn->frame);
  note(fallback.without, plain->frame);
  fallback.lossless_packets += lossless_packets(connection);
  const double waited_s = seconds_between(syns.front().time, plain->time);
  if (waited_s <= fallback.waited_s || copies == 0) return;
  fallback.waited_s = waited_s;
  fallback.active_s = active_s(connection);
}

void count_single(const ConnectionFacts& connection, AsksForMore asks, SynFallback& fallback) {
  const HandshakeFacts& handshake = connection.handshake;
  const bool with = asks(*handshake.syn);
  if (with && handshake.syn_ack && handshake.syn_count == 1) ++fallback.answered_with;
  if (!with && handshake.syn_count > handshake.syn_ack_count &&
      connection.syn_copies.syns.size() > 1) {
    fallback.lost_without += handshake.syn_count - handshake.syn_ack_count;
  }
}

}  // namespace

bool SynFallback::is_proved() const {
  return pairs >= kPairs || lossless_packets >= kLosslessPackets;
}

std::string SynFallback::contradiction() const {
  if (answered_with > 0) {
    return fmt::format("{} SYNs of the same kind to {} were answered", answered_with,
                       to_string(server));
  }
  if (lost_without > 0) {
    return fmt::format("{} plain SYNs to {} were lost as well: the path loses SYNs", lost_without,
                       to_string(server));
  }
  return {};
}

std::vector<SynFallback> find_fallbacks(const Case& facts, AsksForMore asks) {
  std::map<IpAddress, SynFallback> by_server;
  for (const ConnectionFacts& connection : facts.connections) {
    if (!connection.handshake.syn) continue;
    SynFallback& fallback = by_server[connection.server.address];
    fallback.server = connection.server.address;
    const auto& syns = connection.syn_copies.syns;
    const bool mixed = std::ranges::any_of(syns, asks) && !std::ranges::all_of(syns, asks);
    mixed ? count_pair(connection, asks, fallback) : count_single(connection, asks, fallback);
  }
  std::vector<SynFallback> found;
  for (auto& [server, fallback] : by_server) {
    if (fallback.pairs > 0) found.push_back(std::move(fallback));
  }
  return found;
}

Finding describe_fallback(const Case& facts, std::string_view fault, std::string_view what,
                          const SynFallback& fallback) {
  const ConnectionFacts& connection = *find_connection(facts, fallback.connections.front());
  Finding finding;
  finding.fault = fault;
  finding.connections = fallback.connections;
  finding.direction = Direction::to_server;
  finding.seconds_lost = fallback.waited_s;
  const bool proved = fallback.is_proved();
  finding.severity = !proved                                             ? Severity::suspect
                     : is_material(fallback.waited_s, fallback.active_s) ? Severity::fault
                                                                         : Severity::note;
  finding.confidence = proved ? 0.75 + 0.2 * how_far(fallback.pairs, 1, 5) : 0.55;
  finding.claim =
      fmt::format("a SYN to {} that {} finds no answer, the same without it does, after {}",
                  to_string(fallback.server), what, format_duration(fallback.waited_s));
  finding.evidence.push_back(shown_by(fmt::format("these {}, and were not answered", what),
                                      fallback.with,
                                      {{"pairs", static_cast<double>(fallback.pairs)}}));
  finding.evidence.push_back(
      shown_by("the same SYNs without it were answered at once", fallback.without));
  if (fallback.lossless_packets > 0) {
    finding.evidence.push_back(
        {EvidenceKind::counter,
         fmt::format("the same connections lost none of {} further packets, so it was no chance",
                     fallback.lossless_packets),
         {},
         {{"packets_without_loss", static_cast<double>(fallback.lossless_packets)}}});
  }
  finding.refuted_by = fmt::format("a SYN that {} being answered by this server", what);
  finding.after_fix = {std::nullopt, "the handshake then takes one round trip"};
  finding.wireshark_filter = stream_filter(connection, "tcp.flags.syn == 1");
  if (!proved)
    finding.next_capture =
        "five more connections while: " + capture_command(connection, "pairs.pcap");
  return finding;
}

}  // namespace slowpath::detect
