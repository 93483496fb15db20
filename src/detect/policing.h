// SPDX-License-Identifier: Apache-2.0
// Whether a token bucket explains the losses of transfers that share a path. Flows between the same
// two hosts are judged together before each is judged alone: of two that share a bucket neither
// fits by itself. Arithmetic of the bucket is in arithmetic/token_bucket.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "detect/arithmetic/token_bucket.h"
#include "detect/support.h"

namespace slowpath::detect {

/// The catalogue: so many losses; two parameters fit fewer by chance.
inline constexpr std::uint64_t kLossesOfABucket = 15;

/// Transfers judged together, and what came of it.
struct Policing {
  std::vector<Transfer> transfers;
  std::uint64_t losses = 0, episodes = 0;  // of all of them
  arithmetic::TokenBucket bucket;
  double queue_s = 0;       // delay that a queue of these losses would show
  double rise_s = 0;        // and what round trips grew by, before losses
  bool link_seen = false;   // seen behind a link that spaces packets out and has a queue of its own
  bool has_bucket = false;  // the bucket keeps the books; a queue's would look alike
  bool fits = false;        // and nothing queues: a policer
  bool may_fit = false;     // seen behind the limit, where arrivals blur its books
  std::string why_not;      // unless it fits
};

/// One entry for each group of transfers with enough losses; the case outlives it. Fitting buckets
/// is the costliest thing that detectors do and several need it: done once for each `findings`,
/// which keeps it.
const std::vector<Policing>& policing_of(const Case& facts, Findings& findings);

/// The entry that a transfer belongs to, or nullptr.
const Policing* find_policing(const std::vector<Policing>& judged, const Transfer& transfer);

}  // namespace slowpath::detect
