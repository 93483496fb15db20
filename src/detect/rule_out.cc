// SPDX-License-Identifier: Apache-2.0
// The look-alikes of the catalogue (`told_apart_by`) and the facts that clear them. A rival without
// such a fact in this case is simply not mentioned.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/format.h"
#include "base/plural.h"
#include "detect/finding_index.h"
#include "detect/support.h"
#include "detect/synthesis_steps.h"
#include "facts/catalogue.h"

namespace slowpath::detect {
namespace {

using Fact = std::optional<std::string>;

// Of the resends, needless: then losses hardly matter.
constexpr double kMostNeedless = 0.8;

// --- facts that clear a rival; nothing when the case does not show them

std::uint32_t full_size_ip_len(const Transfer& transfer) {
  // Headers: IPv4 20, IPv6 40; TCP 20, and 12 of timestamps where they are in use.
  const bool ipv6 = transfer.connection.client.address.version == 6;
  const std::uint32_t headers =
      (ipv6 ? 60 : 40) + (transfer.connection.timestamps_in_use ? 12U : 0U);
  return transfer.data().segment_size == 0 ? 0 : transfer.data().segment_size + headers;
}

Fact full_size_passes(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  const std::uint32_t full = full_size_ip_len(transfer);
  if (full == 0 || data.largest_delivered_ip_len < full) return std::nullopt;
  return fmt::format("packets of {} bytes were acknowledged (frame {})",
                     data.largest_delivered_ip_len, data.largest_delivered_frame.number());
}

Fact loss_depends_on_size(const Transfer& transfer) {
  const SuperframeFacts& super = transfer.data().superframes;
  if (super.sent == 0 || super.delivered > 0) return std::nullopt;
  return fmt::format("loss depends on size alone: {} of {} frames of several segments were lost",
                     super.lost_whole, super.sent);
}

Fact sizes_have_an_edge(const Transfer& transfer) {
  std::uint32_t passes = 0;
  for (const SizeClass& size : transfer.data().sizes) {
    if (size.first_delivered + size.resent_delivered > 0) passes = size.max_len;
  }
  for (const SizeClass& size : transfer.data().sizes) {
    if (size.min_len > passes && size.first_lost + size.resent_lost >= 3) {
      return fmt::format("loss depends on size alone: nothing of {} bytes or more ever arrived",
                         size.min_len);
    }
  }
  return std::nullopt;
}

Fact nothing_lost(const Transfer& transfer) {
  if (transfer.data().resent_packets > 0 || !transfer.data().acks_seen) return std::nullopt;
  return "no data had to be sent again";
}

Fact window_stays_open(const Transfer& transfer) {
  const WindowFacts& window = transfer.data().window;
  if (window.zero.count > 0 || window.raw_max == 0) return std::nullopt;
  return fmt::format(
      "the window never closed (at least {})",
      format_bytes(static_cast<double>(window.raw_min) * static_cast<double>(1U << window.shift)));
}

Fact window_was_not_filled(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  if (data.window.knowledge == ScaleKnowledge::unknown || data.window.max_bytes == 0) {
    return std::nullopt;
  }
  if (data.flight_max_bytes * 2 > data.window.max_bytes) return std::nullopt;
  return fmt::format("at most {} were outstanding in a window of {}",
                     format_bytes(static_cast<double>(data.flight_max_bytes)),
                     format_bytes(static_cast<double>(data.window.max_bytes)));
}

Fact round_trip_is_flat(const Transfer& transfer) {
  const RttSet& rtt = transfer.data().rtt;
  const double base = rtt.total.min_s;
  const double loaded = rtt.loaded_s > 0 ? rtt.loaded_s : rtt.total.median_s;
  if (base <= 0 || loaded > 1.5 * base) return std::nullopt;
  return fmt::format("the round trip under load is {} against {} at its least, so no queue builds",
                     format_duration(loaded), format_duration(base));
}

Fact round_trip_grows(const Transfer& transfer) {
  const RttSet& rtt = transfer.data().rtt;
  if (rtt.total.min_s <= 0 || rtt.loaded_s < 2 * rtt.total.min_s) return std::nullopt;
  return fmt::format("the round trip grows from {} to {} under load, which random loss does not do",
                     format_duration(rtt.total.min_s), format_duration(rtt.loaded_s));
}

Fact checksums_are_good(const Transfer& transfer) {
  const ChecksumFacts& sums = transfer.data().checksums;
  if (sums.good < 10 || sums.bad > 0 || contents_were_rewritten(transfer)) return std::nullopt;
  return fmt::format("all {} checksums that can be verified are good", format_count(sums.good));
}

Fact good_copies_arrived(const Transfer& transfer) {
  const ChecksumFacts& sums = transfer.data().checksums;
  if (sums.good_twins.count == 0) return std::nullopt;
  return fmt::format("{} of the damaged ranges arrived whole when sent again (frames {})",
                     sums.good_twins.count, frame_list(sums.good_twins));
}

Fact resends_are_bad_too(const Transfer& transfer) {
  const ChecksumFacts& sums = transfer.data().checksums;
  if (sums.bad_resent_bad == 0) return std::nullopt;
  return fmt::format(
      "{} resends of the same bytes were bad again; damage by chance would not "
      "repeat",
      sums.bad_resent_bad);
}

Fact no_icmp(const Transfer& transfer) {
  if (transfer.connection.icmp_count > 0) return std::nullopt;
  return "no ICMP error about this connection was captured";
}

Fact peer_answered(const Transfer& transfer) {
  const DirectionFacts& reverse = transfer.reverse();
  if (!reverse.seen || reverse.packets < 2 || transfer.data().acked_bytes == 0) return std::nullopt;
  return fmt::format("the peer kept answering ({} packets)", format_count(reverse.packets));
}

Fact scale_was_negotiated(const Transfer& transfer) {
  if (transfer.data().window.knowledge != ScaleKnowledge::negotiated) return std::nullopt;
  return fmt::format("both sides offered window scaling (shift {})", transfer.data().window.shift);
}

Fact scale_is_off(const Transfer& transfer) {
  if (transfer.data().window.knowledge != ScaleKnowledge::not_in_use) return std::nullopt;
  return "window scaling is not in use at all, so nothing can misapply it";
}

Fact superframes_pass(const Transfer& transfer) {
  const SuperframeFacts& super = transfer.data().superframes;
  if (super.delivered == 0) return std::nullopt;
  return fmt::format("{} of {} frames of several segments arrived at first sending",
                     super.delivered, super.sent);
}

Fact no_superframes(const Transfer& transfer) {
  if (transfer.data().superframes.sent > 0 || transfer.data().vantage != Vantage::sender) {
    return std::nullopt;
  }
  return "the sender handed over no frame of more than one segment";
}

Fact no_timeouts(const Transfer& transfer) {
  if (transfer.data().timeouts > 0 || !transfer.data().acks_seen) return std::nullopt;
  return "no silence ended in a retransmission timeout";
}

Fact resends_were_needed(const Transfer& transfer) {
  const SpuriousFacts& spurious = transfer.data().spurious;
  if (spurious.packets > 0 || transfer.data().lost_packets == 0) return std::nullopt;
  return "nothing shows that a resend was needless (no DSACK, no early echo)";
}

Fact resends_were_needless(const Transfer& transfer) {
  const std::uint64_t needless = transfer.data().spurious.packets;
  const std::uint64_t resent = std::max(transfer.data().resent_packets, needless);
  if (needless == 0 ||
      static_cast<double>(needless) < kMostNeedless * static_cast<double>(resent)) {
    return std::nullopt;
  }
  return fmt::format("{} of {} had arrived before: the forward path is cleared", needless,
                     counted(resent, "resend"));
}

Fact sender_was_ready(const Transfer& transfer) {
  if (transfer.data().app_data_ready_share < 0.5) return std::nullopt;
  return fmt::format("data was ready at {} of the acknowledgements",
                     format_percent(transfer.data().app_data_ready_share));
}

Fact not_reordered(const Transfer& transfer) {
  if (transfer.data().reorder.late() > 0) return std::nullopt;
  return "no packet overtook another";
}

struct Rival {
  std::string_view fault;
  std::string_view rival;
  Fact (*clears)(const Transfer&);
};

constexpr Rival kRivals[] = {
    {"lso-not-segmented", "pmtud-blackhole", full_size_passes},
    {"lso-not-segmented", "random-loss", loss_depends_on_size},
    {"lso-not-segmented", "zero-window", window_stays_open},
    {"icmp-fragneeded-coalesced", "pmtud-blackhole", full_size_passes},
    {"icmp-fragneeded-coalesced", "random-loss", loss_depends_on_size},
    {"lro-on-forwarder", "pmtud-blackhole", full_size_passes},
    {"tx-csum-offload-broken", "csum-bad-on-arrival", resends_are_bad_too},
    {"csum-bad-on-arrival", "tx-csum-offload-broken", good_copies_arrived},
    {"csum-bad-on-arrival", "congestion-self", round_trip_is_flat},
    {"pmtud-blackhole", "lso-not-segmented", no_superframes},
    {"pmtud-blackhole", "random-loss", sizes_have_an_edge},
    {"pmtud-blackhole", "peer-gone", peer_answered},
    {"pmtud-blackhole", "icmp-fragneeded-coalesced", no_icmp},
    {"icmp-filtered", "random-loss", sizes_have_an_edge},
    {"jumbo-mismatch", "random-loss", sizes_have_an_edge},
    {"jumbo-mismatch", "lso-not-segmented", no_superframes},
    {"mss-not-clamped", "random-loss", sizes_have_an_edge},
    {"mss-not-clamped", "icmp-filtered", no_icmp},
    {"icmp-bogus-mtu", "random-loss", sizes_have_an_edge},
    {"idle-nat-drop", "zero-window", window_stays_open},
    {"sack-mangled", "spurious-retransmission", resends_were_needed},
    {"sack-mangled", "congestion-self", round_trip_is_flat},
    {"sack-stripped", "reordering", not_reordered},
    {"wscale-absent", "zero-window", window_stays_open},
    {"wscale-absent", "random-loss", nothing_lost},
    {"wscale-absent", "congestion-self", round_trip_is_flat},
    {"wscale-absent", "wscale-misapplied", scale_is_off},
    {"wscale-stripped", "zero-window", window_stays_open},
    {"wscale-stripped", "random-loss", nothing_lost},
    {"wscale-misapplied", "wscale-absent", scale_was_negotiated},
    {"wscale-misapplied", "zero-window", window_stays_open},
    {"rwnd-fixed-64k", "wscale-absent", scale_was_negotiated},
    {"rwnd-fixed-64k", "zero-window", window_stays_open},
    {"rwnd-fixed-64k", "random-loss", nothing_lost},
    {"rwnd-fixed-64k", "congestion-self", round_trip_is_flat},
    {"rwnd-limited", "zero-window", window_stays_open},
    {"rwnd-limited", "random-loss", nothing_lost},
    {"rwnd-limited", "congestion-self", round_trip_is_flat},
    {"rwnd-limited", "wscale-absent", scale_was_negotiated},
    {"zero-window", "random-loss", nothing_lost},
    {"zero-window", "peer-gone", peer_answered},
    {"zero-window", "rto-dominated", no_timeouts},
    {"random-loss", "pmtud-blackhole", full_size_passes},
    {"random-loss", "congestion-self", round_trip_is_flat},
    {"random-loss", "csum-bad-on-arrival", checksums_are_good},
    {"random-loss", "spurious-retransmission", resends_were_needed},
    {"random-loss", "reordering", not_reordered},
    {"random-loss", "lso-not-segmented", superframes_pass},
    {"congestion-self", "random-loss", round_trip_grows},
    {"congestion-self", "rwnd-limited", window_was_not_filled},
    {"bufferbloat", "random-loss", round_trip_grows},
    {"bufferbloat", "rwnd-limited", window_was_not_filled},
    {"shaper", "random-loss", round_trip_grows},
    {"shaper", "rwnd-limited", window_was_not_filled},
    {"sender-limited", "rwnd-limited", window_was_not_filled},
    {"sender-limited", "random-loss", nothing_lost},
    {"sender-limited", "congestion-self", round_trip_is_flat},
    {"app-limited-sender", "rwnd-limited", window_was_not_filled},
    {"app-limited-sender", "random-loss", nothing_lost},
    {"app-limited-sender", "zero-window", window_stays_open},
    {"server-think-time", "random-loss", nothing_lost},
    {"server-think-time", "zero-window", window_stays_open},
    {"client-think-time", "random-loss", nothing_lost},
    {"client-think-time", "zero-window", window_stays_open},
    {"tail-loss", "pmtud-blackhole", full_size_passes},
    {"tail-loss", "lso-not-segmented", superframes_pass},
    {"tail-loss", "zero-window", window_stays_open},
    {"tail-loss", "spurious-retransmission", resends_were_needed},
    {"rto-dominated", "pmtud-blackhole", full_size_passes},
    {"rto-dominated", "lso-not-segmented", superframes_pass},
    {"rto-dominated", "zero-window", window_stays_open},
    {"rto-dominated", "peer-gone", peer_answered},
    {"spurious-retransmission", "random-loss", resends_were_needless},
    {"reordering", "random-loss", resends_were_needless},
    {"path-latency", "random-loss", nothing_lost},
    {"path-latency", "app-limited-sender", sender_was_ready},
    {"nagle-delack", "random-loss", nothing_lost},
    {"nagle-delack", "zero-window", window_stays_open},
    {"path-outage", "zero-window", window_stays_open},
    {"peer-gone", "zero-window", window_stays_open},
};

bool is_known(const Finding& finding, std::string_view rival) {
  return std::ranges::any_of(finding.ruled_out,
                             [&](const RuledOut& known) { return known.fault == rival; });
}

// A rival that was found too is not ruled out, whatever one fact says.
bool was_found(const std::vector<Finding>& findings, const FindingIndex& index,
               const Finding& beside, std::string_view rival) {
  return std::ranges::any_of(index.beside(beside), [&](std::size_t position) {
    return findings[position].fault == rival && is_beside(findings[position], beside);
  });
}

}  // namespace

void rule_out(const Case& facts, std::vector<Finding>& findings) {
  const FindingIndex index(findings);
  for (Finding& finding : findings) {
    if (finding.connections.size() != 1 || !finding.direction) continue;
    const ConnectionFacts* connection = find_connection(facts, finding.connections.front());
    if (connection == nullptr) continue;
    const Transfer transfer{facts, *connection, *finding.direction};
    for (const Rival& rival : kRivals) {
      if (rival.fault != finding.fault || is_known(finding, rival.rival)) continue;
      if (was_found(findings, index, finding, rival.rival)) continue;
      if (Fact why = rival.clears(transfer)) finding.ruled_out.push_back({rival.rival, *why});
    }
  }
}

}  // namespace slowpath::detect
