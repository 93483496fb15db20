// SPDX-License-Identifier: Apache-2.0
// rst-injected: a third party resets the connection.
// The user sees "connection reset by peer" of which the peer knows nothing. Recognised by a RST
// whose fingerprint is not the alleged sender's (time to live, IP ID copied from the packet it
// answers) or after which that sender goes on as if nothing had happened (RFC 5961; Weaver, Sommer,
// Paxson, NDSS 2009). Look-alikes: RST after FIN or at close with everything acknowledged, for
// unread data, to a closed port: all normal, and with the peer's own fingerprint.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/policy.h"
#include "detect/support.h"

namespace slowpath::detect::detectors {
namespace {

constexpr std::string_view kId = "rst-injected";
// Routes change by a hop; another machine differs by more, or by another initial value.
constexpr int kHops = 2;
// One mark may be a stack's oddity, two are not.
constexpr int kMarks = 2;

int hops_outside(const ResetFacts& reset) {
  if (reset.sender_ttl_min == 0) return 0;
  const int below = int{reset.sender_ttl_min} - int{reset.ttl};
  const int above = int{reset.ttl} - int{reset.sender_ttl_max};
  return std::max({0, below, above});
}

/// Some stacks send a RST with another initial TTL than data: 64, 128, 255 at the same distance.
bool only_initial_ttl_differs(const ResetFacts& reset) {
  const auto distance = [](int ttl) {
    for (const int initial : {32, 64, 128, 255}) {
      if (ttl <= initial) return initial - ttl;
    }
    return 0;
  };
  return distance(reset.ttl) == distance(reset.sender_ttl_max);
}

struct Marks {
  bool ttl = false, ip_id = false, goes_on = false, timestamps = false;
  /// Other resets in the same name look like their sender: that its stack gives resets a time to
  /// live of their own is no excuse for this one.
  FrameRef own_reset;
  /// Missing time stamps alone prove nothing: several stacks send RST without.
  [[nodiscard]] int strong() const {
    return int{ttl} + int{ip_id} + int{goes_on} + int{static_cast<bool>(own_reset)};
  }
};

Marks marks_of(const ConnectionFacts& connection, const ResetFacts& reset) {
  Marks marks;
  marks.ttl = hops_outside(reset) > kHops && !only_initial_ttl_differs(reset);
  marks.ip_id = reset.ip_id_copied_from_other_side && reset.ip_id != 0;
  marks.goes_on = reset.sender_packets_after > 0;
  for (const ResetFacts& other : connection.resets) {
    const bool is_own = other.direction == reset.direction && other.sender_ttl_min > 0 &&
                        hops_outside(other) == 0;
    if (marks.ttl && is_own && !marks.own_reset) marks.own_reset = other.frame;
  }
  marks.timestamps = reset.sender_uses_timestamps && !reset.has_timestamps;
  return marks;
}

std::vector<Evidence> evidence_of(const ResetFacts& reset, const Marks& marks) {
  std::vector<Evidence> evidence;
  if (marks.ttl) {
    evidence.push_back(shown_by(
        fmt::format("its time to live is {}, that of its alleged sender's other packets {} to {}",
                    reset.ttl, reset.sender_ttl_min, reset.sender_ttl_max),
        {reset.frame},
        {{"ttl", static_cast<double>(reset.ttl)},
         {"sender_ttl_max", static_cast<double>(reset.sender_ttl_max)}}));
  }
  if (marks.own_reset) {
    evidence.push_back(
        shown_by("another reset in the same name has the time to live of its sender's packets",
                 {marks.own_reset}));
  }
  if (marks.ip_id) {
    evidence.push_back(shown_by(
        fmt::format("its IP ID {:#06x} is copied from the packet that it answers", reset.ip_id),
        {reset.frame}, {{"ip_id", static_cast<double>(reset.ip_id)}}));
  }
  if (marks.goes_on) {
    evidence.push_back(shown_by(
        fmt::format("its alleged sender went on: {} packets after it", reset.sender_packets_after),
        {reset.frame, reset.sender_packet_after},
        {{"packets_after", static_cast<double>(reset.sender_packets_after)}}));
  }
  if (marks.timestamps) {
    evidence.push_back(
        shown_by("it has no time stamps, its alleged sender's packets do", {reset.frame}));
  }
  return evidence;
}

void report(const ConnectionFacts& connection, const ResetFacts& reset, const Marks& marks,
            Findings& findings) {
  Finding finding;
  finding.fault = kId;
  finding.connections = {connection.id};
  finding.direction = reset.direction;
  const bool complete = marks.strong() >= kMarks;
  finding.severity = complete ? Severity::fault : Severity::suspect;
  finding.confidence = std::min(0.99, complete ? 0.82 + 0.08 * (marks.strong() - 1) : 0.6);
  const bool to_server = reset.direction == Direction::to_server;
  const Endpoint& alleged = to_server ? connection.client : connection.server;
  const Endpoint& victim = to_server ? connection.server : connection.client;
  finding.claim = fmt::format("the reset that {} received in the name of {} does not come from it",
                              to_string(victim), to_string(alleged));
  finding.evidence = evidence_of(reset, marks);
  finding.refuted_by =
      fmt::format("a capture at {} in which it sends this reset", to_string(alleged.address));
  finding.after_fix = {std::nullopt, "the connection then lives on"};
  finding.wireshark_filter = stream_filter(connection, "tcp.flags.reset == 1");
  finding.next_capture = capture_command(connection, "alleged_sender.pcap");
  findings.list.push_back(std::move(finding));
}

void inspect_reset(const ConnectionFacts& connection, const ResetFacts& reset, Findings& findings) {
  const Marks marks = marks_of(connection, reset);
  if (reset.after_fin && !marks.goes_on) {
    return silent(findings, kId, connection, "a reset after FIN is a normal close");
  }
  if (marks.strong() == 0) {
    return silent(
        findings, kId, connection,
        fmt::format("the reset's fingerprint (time to live {}) is its sender's own", reset.ttl));
  }
  // One mark at a close with nothing outstanding cost nobody anything.
  if (marks.strong() < kMarks && (reset.all_acknowledged || reset.after_fin)) {
    return silent(findings, kId, connection,
                  "one mark only, and everything was acknowledged: a close");
  }
  report(connection, reset, marks, findings);
}

void inspect(const Case& facts, Findings& findings) {
  for (const ConnectionFacts& connection : facts.connections) {
    const std::size_t before = findings.list.size();
    for (const ResetFacts& reset : connection.resets) {
      if (findings.list.size() > before) break;  // One finding a connection.
      inspect_reset(connection, reset, findings);
    }
  }
}

}  // namespace

extern const Detector rst_injected;
const Detector rst_injected{.id = kId,
                            .scope = Scope::connection,
                            .needs = "the reset and other packets of its alleged sender",
                            .inspect = inspect};

}  // namespace slowpath::detect::detectors
