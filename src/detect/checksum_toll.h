// SPDX-License-Identifier: Apache-2.0
// Reading ChecksumFacts: which bad checksums were the network's, and how they repeat. Shared by the
// detectors that judge them, or what they cost.
#pragma once

#include <cstdint>
#include <string>

#include "detect/loss_time.h"
#include "detect/tap.h"

namespace slowpath::detect {

struct ChecksumToll {
  std::uint64_t verified = 0;    // good or bad, of frames whose checksum says something
  std::uint64_t bad = 0;         // really bad: not acknowledged as they stood
  double bad_share = 0;          // of verified
  double repeats_by_chance = 0;  // bad resends to expect if damage struck at random
};

inline ChecksumToll toll_of(const ChecksumFacts& sums) {
  ChecksumToll toll;
  toll.bad =
      sums.bad - (sums.bad_but_acknowledged < sums.bad ? sums.bad_but_acknowledged : sums.bad);
  toll.verified = sums.good + toll.bad;
  if (toll.verified > 0) {
    toll.bad_share = static_cast<double>(toll.bad) / static_cast<double>(toll.verified);
  }
  toll.repeats_by_chance = toll.bad_share * static_cast<double>(toll.bad);
  return toll;
}

/// Bad sums mean something only where they were verified after the wire, in a file left as it was.
inline bool can_judge_checksums(const Transfer& transfer) {
  const DirectionFacts& data = transfer.data();
  return !is_at_sender(data) && !contents_were_rewritten(transfer) &&
         data.checksums.bad_ip_headers * 2 <= data.checksums.bad;
}

/// The capture that tells a NIC's own doing from the path's.
inline std::string first_hop_capture(const Transfer& transfer) {
  return "outside the sender, on the first switch port: " +
         capture_command(transfer.connection, "first_hop.pcap");
}

/// Half of what was lost had passed here with a sum that was left for a NIC to finish.
inline bool lost_were_unfinished(const DirectionFacts& data) {
  constexpr std::uint64_t kUnfinished = 5;
  constexpr double kUnfinishedShare = 0.5;
  const std::uint64_t unfinished = data.checksums.partial_needed_resend;
  return unfinished >= kUnfinished && data.window.zero_episodes == 0 &&
         static_cast<double>(unfinished) >=
             kUnfinishedShare * static_cast<double>(data.lost_packets);
}

/// Unfinished sums that the receiver did not take, seen where it receives: a virtual link marks
/// those that it may take, so that its refusal says that they came without the mark. What is lost
/// before this point was not seen at all.
inline bool unfinished_were_refused(const DirectionFacts& data) {
  return data.vantage == Vantage::receiver && lost_were_unfinished(data);
}

/// Likewise where both ends are virtual and as near: they may have been refused, or lost behind
/// this point.
inline bool unfinished_may_be_refused(const DirectionFacts& data) {
  return data.vantage == Vantage::both && lost_were_unfinished(data);
}

/// What tells segments that the receiver refused for their sums from lost ones.
inline std::string refusal_check(const Transfer& transfer) {
  return "on " + to_string(transfer.receiver().address) +
         ": nstat -az TcpInCsumErrors, before and after";
}

}  // namespace slowpath::detect
