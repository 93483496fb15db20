// SPDX-License-Identifier: Apache-2.0
// What a comparison of capture points says about one transfer, for detectors whose proof takes two
// captures. Empty answers where nobody compared: every detector works without.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/support.h"
#include "facts/comparison.h"

namespace slowpath::detect {

/// Between two neighbouring capture points, in the direction of the packets. Valid while the case
/// lives.
struct Stretch {
  const ComparisonFacts* facts = nullptr;
  const BetweenFacts* between = nullptr;

  [[nodiscard]] const std::string& upstream() const {
    return facts->points[between->upstream].name;
  }
  [[nodiscard]] const std::string& downstream() const {
    return facts->points[between->downstream].name;
  }
};

/// A field that a box rewrote, and where.
struct RewriteProof {
  Stretch where;
  const Rewrite* rewrite = nullptr;
};

/// The stretches that this transfer's data passes, the sender's first.
std::vector<Stretch> stretches_of(const Transfer& transfer);
/// The stretches of what its receiver sends: SYNs, ACKs, SACK blocks.
std::vector<Stretch> reply_stretches_of(const Transfer& transfer);

/// One connection is one in each capture. True for the one nearest the sender of most data, and
/// where nothing was compared.
bool speaks_for_all(const Transfer& transfer);

/// The direction of most data: what holds for a connection is said of this one.
bool carries_most(const Transfer& transfer);

/// Where a SYN's option was taken out (`to` absent) or given another value, of the SYN that the
/// receiver (else the sender) of this data sent.
std::optional<RewriteProof> find_rewrite(const Transfer& transfer, Rewritten what);

/// Makes a proof of it: names the points, with the frames at each, and needs no further capture.
void add_proof(Finding& finding, const Stretch& where, std::string_view before,
               std::string_view after, const PairExemplars& frames, Figures values = {});
/// The same for frames that never came.
void add_proof(Finding& finding, const Stretch& where, std::string_view what,
               const Exemplars& upstream_frames, Figures values = {});

}  // namespace slowpath::detect
