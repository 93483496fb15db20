// SPDX-License-Identifier: Apache-2.0
// mss-rewritten: a middlebox changes the MSS option of a SYN.
// The user sees nothing while the new value fits the path; small segments, or a black hole, when it
// does not. Proved where the same SYN was seen on both sides of the box. Otherwise suspected:
// stacks make the first window a whole number of their own segments, and a SYN whose window is a
// multiple of 1460 but not of the MSS it announces has probably had another. Look-alikes: a host
// with a small MTU (its window is a multiple of its own MSS), a clamp for a tunnel, which is
// harmless.
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/comparison_evidence.h"
#include "detect/policy.h"
#include "detect/segment_toll.h"
#include "detect/size_edge.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kFault = "mss-rewritten";
// A window of ten segments or more that comes out even is no chance (RFC 6928's first flight).
constexpr std::uint32_t kSegments = 10;
// What stacks announce on Ethernet over IPv4 and IPv6; less timestamps, what Linux counts in.
constexpr std::array<std::uint32_t, 4> kUsual{1460, 1448, 1440, 1428};
// A clamp for a tunnel leaves at least 1280 bytes of packet, IPv6's least (RFC 8200 section 5).
constexpr std::uint32_t kLeastClamp = 1220;

struct Rewriting {
  std::uint32_t from = 0, to = 0;
  bool by_client = false;  // whose SYN it was
  const AlteredSyn* proof = nullptr;
  const SynFacts* syn = nullptr;
  std::optional<RewriteProof> compared = std::nullopt;  // the same SYN at two capture points

  [[nodiscard]] bool is_proved() const { return proof != nullptr || compared.has_value(); }
};

std::optional<Rewriting> by_two_taps(const ConnectionFacts& connection) {
  for (const AlteredSyn& altered : connection.syn_copies.altered) {
    const TcpOptions& first = altered.first.options;
    const TcpOptions& second = altered.second.options;
    if (first.mss == second.mss || !first.has_mss || !second.has_mss) continue;
    return Rewriting{first.mss, second.mss, altered.from_client, &altered, &altered.second};
  }
  return std::nullopt;
}

std::optional<Rewriting> by_window(const SynFacts& syn, bool by_client) {
  if (!syn.options.has_mss || syn.options.mss == 0 || syn.window % syn.options.mss == 0)
    return std::nullopt;
  if (syn.options.has_timestamps && syn.options.mss > 12 &&
      syn.window % (syn.options.mss - 12U) == 0)
    return std::nullopt;
  for (const std::uint32_t usual : kUsual) {
    const bool even = syn.window % usual == 0 && syn.window / usual >= kSegments;
    if (even && syn.options.mss + 12U < usual)
      return Rewriting{usual, syn.options.mss, by_client, nullptr, &syn};
  }
  return std::nullopt;
}

std::optional<Rewriting> by_comparison(const Case& facts, const ConnectionFacts& connection) {
  for (const Direction limited : {Direction::to_client, Direction::to_server}) {
    const Transfer transfer{facts, connection, limited};
    // The SYN of this data's receiver sets its segments.
    for (const Stretch& stretch : reply_stretches_of(transfer)) {
      for (const Rewrite& rewrite : stretch.between->rewrites) {
        if (rewrite.what != Rewritten::mss || rewrite.from < 0 || rewrite.to < 0) continue;
        return Rewriting{static_cast<std::uint32_t>(rewrite.from),
                         static_cast<std::uint32_t>(rewrite.to),
                         limited == Direction::to_client,
                         nullptr,
                         nullptr,
                         RewriteProof{stretch, &rewrite}};
      }
    }
  }
  return std::nullopt;
}

std::optional<Rewriting> find_rewriting(const Case& facts, const ConnectionFacts& connection) {
  if (auto proved = by_comparison(facts, connection)) {
    return speaks_for_all({facts, connection, Direction::to_server}) ? proved : std::nullopt;
  }
  if (auto proved = by_two_taps(connection)) return proved;
  const HandshakeFacts& handshake = connection.handshake;
  // Behind a box at the client, the client's SYN is changed; the server's in the other direction.
  if (handshake.syn) {
    if (auto found = by_window(*handshake.syn, true)) return found;
  }
  return handshake.syn_ack ? by_window(*handshake.syn_ack, false) : std::nullopt;
}

/// The direction whose segments the option limits: data towards the end that announced it.
Transfer limited_by(const Case& facts, const ConnectionFacts& connection,
                    const Rewriting& rewriting) {
  return {facts, connection, rewriting.by_client ? Direction::to_client : Direction::to_server};
}

double cost_s(const Transfer& transfer, const Rewriting& rewriting) {
  if (rewriting.to > rewriting.from) {
    const SizeEdge edge = find_size_edge(transfer);
    return edge.sent > 0 && !why_no_edge(transfer, edge) ? seconds_of_edge(transfer, edge) : 0;
  }
  if (rewriting.to >= kLeastClamp || transfer.data().bytes < std::uint64_t{100} * rewriting.to)
    return 0;
  return header_toll_s(transfer, transfer.data().largest_payload,
                       usual_segment(transfer.connection));
}

void add_evidence(const ConnectionFacts& connection, const Rewriting& rewriting, Finding& finding) {
  if (rewriting.compared) {
    add_proof(
        finding, rewriting.compared->where, fmt::format("the SYN announces {}", rewriting.from),
        fmt::format("the same SYN announces {}", rewriting.to), rewriting.compared->rewrite->frames,
        {{"mss_before", rewriting.from}, {"mss_after", rewriting.to}});
  } else if (rewriting.is_proved()) {
    finding.evidence.push_back(
        shown_by("the same SYN at two taps, with another MSS",
                 {rewriting.proof->first.frame, rewriting.proof->second.frame},
                 {{"mss_before", rewriting.from}, {"mss_after", rewriting.to}}));
  } else {
    finding.evidence.push_back(
        shown_by(fmt::format("its window of {} is {} segments of {}, and no multiple of {}",
                             rewriting.syn->window, rewriting.syn->window / rewriting.from,
                             rewriting.from, rewriting.to),
                 {rewriting.syn->frame},
                 {{"window", static_cast<double>(rewriting.syn->window)}, {"mss", rewriting.to}}));
    finding.next_capture = "where that SYN was sent: " + capture_command(connection, "origin.pcap");
  }
}

void inspect_connection(const Case& facts, const ConnectionFacts& connection, Findings& findings) {
  const auto rewriting = find_rewriting(facts, connection);
  if (!rewriting) return;
  const Transfer transfer = limited_by(facts, connection, *rewriting);
  const double seconds = cost_s(transfer, *rewriting);
  const bool proved = rewriting->is_proved();
  if (seconds <= 0 && !proved) {
    return silent(findings, kFault, connection,
                  fmt::format("the MSS of {} may have been {}: a clamp that costs nothing",
                              rewriting->to, rewriting->from));
  }
  Finding finding = about(kFault, transfer);
  finding.seconds_lost = seconds;
  finding.severity = severity_of(proved, seconds, transfer);
  finding.confidence = confidence_of(proved ? 0.95 : 0.6, transfer);
  finding.claim = fmt::format(
      "the MSS that {} announces {} {} on the way to {}",
      to_string(rewriting->by_client ? connection.client : connection.server),
      proved ? "was changed from" : "may have been changed from", rewriting->from, rewriting->to);
  add_evidence(connection, *rewriting, finding);
  finding.refuted_by = "the same SYN with this MSS where it was sent";
  finding.wireshark_filter = stream_filter(connection, "tcp.flags.syn == 1");
  findings.list.push_back(std::move(finding));
}

void inspect(const Case& facts, Findings& findings) {
  for (const ConnectionFacts& connection : facts.connections)
    inspect_connection(facts, connection, findings);
}

}  // namespace

extern const Detector mss_rewritten;
const Detector mss_rewritten{.id = kFault,
                             .scope = Scope::connection,
                             .needs = "the SYNs; for proof, on both sides of the box",
                             .inspect = inspect};

}  // namespace slowpath::detect::detectors
