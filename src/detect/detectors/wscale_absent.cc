// SPDX-License-Identifier: Apache-2.0
// wscale-absent: a host does not offer window scaling, so no window can exceed 65 535 bytes (RFC
// 7323 section 2). What the user sees: a rate of 64 KiB a round trip, 17 Mbit/s at 30 ms.
// Recognised in the handshake, and by a full window near that limit. One capture cannot tell the
// host from a middlebox that took the option out on the way; a SYN recorded where it was sent can.
#include <fmt/format.h>

#include "base/format.h"
#include "detect/comparison_evidence.h"
#include "detect/policy.h"
#include "detect/window_limit.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "wscale-absent";

// A window that stays well below 65 535 is small for another reason: the lack of scaling does not
// bind. Three quarters leave room for stacks that round to segments.
constexpr std::uint64_t kBindsFromBytes = 48 * 1024;

struct Culprit {
  const SynFacts* syn;
  const Endpoint* host;
  std::string_view what;
};

// The client's SYN decides: a server may answer with the option only if it was offered.
Culprit find_culprit(const ConnectionFacts& connection) {
  const HandshakeFacts& handshake = connection.handshake;
  if (handshake.syn && handshake.syn->options.lacks_window_scale()) {
    return {&*handshake.syn, &connection.client, "SYN"};
  }
  return {&*handshake.syn_ack, &connection.server, "SYN-ACK"};
}

// The host itself was recorded, not the path behind it.
bool is_at_origin(const Transfer& transfer, const Culprit& culprit) {
  const bool client = culprit.host == &transfer.connection.client;
  const Direction sent = client ? Direction::to_server : Direction::to_client;
  return transfer.connection[sent].vantage == Vantage::sender;
}

Finding describe(const Transfer& transfer, const WindowLimit& limit) {
  const Culprit culprit = find_culprit(transfer.connection);
  const bool at_origin = is_at_origin(transfer, culprit);
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = limit.seconds;
  finding.severity = severity_of(limit.complete, limit.seconds, transfer);
  finding.confidence =
      confidence_of((at_origin ? 0.85 : 0.75) + 0.12 * how_far(limit.share, 0.1, 0.7), transfer);
  finding.claim =
      fmt::format("the {} of {} does not offer window scaling, so at most {} can be on the way",
                  culprit.what, to_string(*culprit.host), format_bytes(limit.window_bytes));
  finding.evidence.push_back(
      shown_by(at_origin ? fmt::format("the {} leaves its host without option 3", culprit.what)
                         : fmt::format("the {} arrives at the capture point without option 3; "
                                       "whether its host left it out or a middlebox took it out "
                                       "shows only at that host",
                                       culprit.what),
               {culprit.syn->frame}));
  add_window_evidence(transfer, limit, finding);
  finding.refuted_by = at_origin ? "scaling switched on and the rate staying as it is"
                                 : "the option being there where that packet was sent";
  finding.wireshark_filter = stream_filter(transfer.connection, "tcp.flags.syn == 1");
  if (!at_origin) {
    finding.next_capture = fmt::format("on {}: {}", to_string(culprit.host->address),
                                       capture_command(transfer.connection, "origin.pcap"));
  }
  return finding;
}

void inspect(const Case& facts, Findings& findings) {
  for (const Transfer& transfer : transfers_with_data(facts)) {
    const DirectionFacts& data = transfer.data();
    const HandshakeFacts& handshake = transfer.connection.handshake;
    if (data.window.knowledge != ScaleKnowledge::not_in_use) continue;
    if (!handshake.syn || !handshake.syn_ack) continue;
    if (data.window.max_bytes < kBindsFromBytes) {
      silent(findings, kFault, transfer,
             fmt::format("scaling is not in use, but the window stays at {} by itself",
                         format_bytes(static_cast<double>(data.window.max_bytes))));
      continue;
    }
    if (const auto proof = find_rewrite(transfer, Rewritten::window_scale);
        proof && proof->rewrite->to < 0) {
      silent(findings, kFault, transfer,
             fmt::format("the host did offer it: it was taken out between {} and {}",
                         proof->where.upstream(), proof->where.downstream()));
      continue;
    }
    const WindowLimit limit = judge_window(transfer);
    if (!limit.limits) {
      silent(findings, kFault, transfer, "scaling is not in use, but " + limit.why_not);
      continue;
    }
    findings.list.push_back(describe(transfer, limit));
  }
}

}  // namespace

extern const Detector wscale_absent;
const Detector wscale_absent{.id = kFault,
                             .scope = Scope::direction,
                             .needs = "both SYNs, and 10 round trips",
                             .inspect = inspect};

}  // namespace slowpath::detect::detectors
