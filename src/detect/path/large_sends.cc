// SPDX-License-Identifier: Apache-2.0
// lso-not-segmented and icmp-fragneeded-coalesced by test: full segments pass one at a time,
// several at once never do. Super-frames of several segments are then what is lost: cut by nobody
// (silence), or refused by a gateway as too large although no packet is ("fragmentation needed"
// with an MTU that each segment keeps to: S4). A queue too short for four packets would lose the
// last of them, not all; and singles of the same size clear the path MTU.
#include <string>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/path/rules.h"

namespace slowpath::detect::path {
namespace {

constexpr std::uint32_t kEnoughSingles = 4, kEnoughBursts = 3;

bool shows_it(const SegmentTest& test) {
  if (!test.unable.empty() || !test.singles_done) return false;
  if (test.singles_sent < kEnoughSingles || test.bursts < kEnoughBursts) return false;
  const bool singles_pass = test.singles_resent * 10 <= test.singles_sent;
  return singles_pass && test.bursts_resent * 10 >= test.bursts * 8;
}

/// The sender's host was told that packets are too large, by bursts alone.
bool is_refused(const SegmentTest& segments) {
  return segments.too_big_in_bursts.value_or(0) > segments.too_big_in_singles.value_or(0);
}

/// Refused as too large, although each segment keeps to the MTU that the kernel holds for the path.
bool is_coalesced(const PathTestFacts& test, const SegmentTest& segments) {
  const std::uint32_t packet = segments.mss_bytes + (test.peer.version == 6 ? 60 : 40);
  const bool mtu_is_honest = !segments.kernel_pmtu_after || *segments.kernel_pmtu_after >= packet;
  return is_refused(segments) && mtu_is_honest;
}

Finding name(const PathTestFacts& test, const SegmentTest& segments) {
  const std::string way = way_of(test, segments.direction);
  if (is_coalesced(test, segments)) {
    return found("icmp-fragneeded-coalesced", Severity::fault, 0.92,
                 fmt::format("{} single segments pass, several at once are refused as too large "
                             "although each keeps to the MTU",
                             way));
  }
  return found("lso-not-segmented", Severity::fault, segments.timeouts > 0 ? 0.88 : 0.75,
               fmt::format("{} single segments pass, several at once are lost: nobody cuts large "
                           "sends into segments",
                           way));
}

Finding describe(const PathTestFacts& test, const SegmentTest& segments) {
  Finding finding = name(test, segments);
  finding.direction = segments.direction;
  finding.evidence.push_back(
      tested(fmt::format("{} of {} segments of {} bytes, each alone in flight, had to be sent "
                         "again, and {} of {} bursts of {} ({} timeouts)",
                         segments.singles_resent, segments.singles_sent, segments.mss_bytes,
                         segments.bursts_resent, segments.bursts,
                         format_bytes(static_cast<double>(segments.burst_bytes) / segments.bursts),
                         segments.timeouts),
             {{"singles", segments.singles_sent},
              {"singles_resent", segments.singles_resent},
              {"bursts", segments.bursts},
              {"bursts_resent", segments.bursts_resent}}));
  if (is_refused(segments)) {
    finding.evidence.push_back(
        tested(fmt::format("the sender's host received {} ICMP \"destination unreachable\" during "
                           "the bursts, {} during the single segments; its path MTU stayed at {}",
                           *segments.too_big_in_bursts, segments.too_big_in_singles.value_or(0),
                           segments.kernel_pmtu_after.value_or(0)),
               {{"icmp_in_bursts", static_cast<double>(*segments.too_big_in_bursts)}}));
  }
  finding.refuted_by = "bursts that arrive with segmentation offload on at the sender";
  finding.next_capture =
      "on the sender: ethtool -K DEV tso off gso off, and test again: then bursts pass";
  return finding;
}

}  // namespace

void large_sends(const PathTestFacts& test, Findings& findings) {
  if (!test.mtu) return;
  for (const SegmentTest& segments : test.mtu->segments) {
    if (shows_it(segments)) findings.push_back(describe(test, segments));
  }
}

}  // namespace slowpath::detect::path
