// SPDX-License-Identifier: Apache-2.0
// Finds the largest packet that passes. Works on any SizeProbe, so its logic is tested without a
// network. Every wait is bounded, and so is the whole.
//
// A size has failed only when enough packets of it got no answer while small ones, sent beside
// them, did: a lossy path asks for more of them. An ICMP message is a hint where to look, never the
// proof: the edge is what passes and what does not.
#pragma once

#include <cstdint>
#include <functional>

#include "facts/path_test.h"
#include "probe/path/size_probe.h"

namespace slowpath::probe {

struct SweepLimits {
  std::uint32_t floor_bytes =
      68;  // the small packet; IPv4's least MTU (RFC 791). 1280 for IPv6 is tried too
  std::uint32_t ceiling_bytes = 65535;
  std::uint32_t first_try = 0;  // a size to try before all others: another test's edge; 0: none
  Duration longest{std::chrono::seconds(15)};   // for the whole sweep
  Duration most_wait{std::chrono::seconds(1)};  // for one answer
  std::uint32_t confirmations = 10;  // packets at each side of the edge before it is believed
  std::function<bool()> stopped;     // asked between volleys; empty: never
};

/// The sweep; `unable` is filled in where not even the small packets were answered.
SizeSweep sweep_sizes(SizeProbe& probe, const SweepLimits& limits);

}  // namespace slowpath::probe
