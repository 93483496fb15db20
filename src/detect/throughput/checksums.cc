// SPDX-License-Identifier: Apache-2.0
// Losses that are none: segments that arrived and were thrown away for their checksum. The
// receiving host counts them (TcpInCsumErrors), so an active test needs no capture to know. Which
// of a NIC that leaves checksums undone and a link that flips bits it was, bytes must tell; turning
// the sender's offload off is the shorter way.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "detect/throughput/rules.h"

namespace slowpath::detect::throughput {
namespace {

// A host meets a few from anywhere in a day; so many in a run of seconds are this transfer's.
constexpr std::uint64_t kEnough = 10;

const TestHost& receiver_of(const Look& look) {
  return look.flow.to_server ? look.run.server : look.run.client;
}

}  // namespace

bool is_checksum_loss(const Look& look) {
  const std::uint64_t bad = receiver_of(look).bad_checksums.value_or(0);
  const std::uint64_t resent = look.account.retransmits;
  // Each that was thrown away had to be sent again, the last ones perhaps after the run; others may
  // have been lost beside.
  return bad >= kEnough && resent >= kEnough && 2 * bad >= resent &&
         bad <= resent + resent / 10 + 2;
}

void bad_checksums(const Look& look, std::vector<Finding>& findings) {
  const std::uint64_t bad = receiver_of(look).bad_checksums.value_or(0);
  if (bad < kEnough) return;
  const bool is_ours = is_checksum_loss(look);
  // More than were sent again are not all of this transfer, fewer do not explain what was lost.
  const std::string host =
      look.flow.to_server ? to_string(look.test.server.address) : std::string{"this host"};
  Finding finding = found(
      look, "csum-bad-on-arrival", is_ours ? Severity::fault : Severity::note, is_ours ? 0.93 : 0.4,
      is_ours ? fmt::format("{} segments arrive with a wrong checksum: {} threw {} of them away, "
                            "and they had to be sent again",
                            way_of(look), host, format_count(bad))
              : fmt::format("{} threw {} segments away for their checksum meanwhile, of whichever "
                            "connection: what this one sent again does not agree with it",
                            host, format_count(bad)));
  finding.evidence.push_back(tested(
      fmt::format("TcpInCsumErrors of {} rose by {} during the run; the sender sent {} of {} "
                  "segments again",
                  host, format_count(bad), format_count(look.account.retransmits),
                  format_count(look.account.segments)),
      {{"bad_checksums", static_cast<double>(bad)},
       {"retransmits", static_cast<double>(look.account.retransmits)}}));
  finding.refuted_by = "a run with as many resends in which that counter stands still";
  finding.next_capture =
      "at the sender: ethtool -K DEV tx off    (then test again: a NIC that leaves checksums "
      "undone is healed by it, a link that flips bits is not)";
  findings.push_back(std::move(finding));
}

}  // namespace slowpath::detect::throughput
