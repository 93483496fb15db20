// SPDX-License-Identifier: Apache-2.0
// What changed between two copies of the same bytes, as evidence: from a transfer's kept excerpts
// to the pattern they show together (arithmetic/corruption_pattern.h). Says which component makes
// such patterns; blames nobody.
#pragma once

#include <optional>
#include <vector>

#include "detect/arithmetic/corruption_pattern.h"
#include "detect/support.h"

namespace slowpath::detect {

/// Nothing where no excerpt was kept. Where it is not known which copy is right, the original is
/// taken for it unless the other reading is the plainer one; `witness` is that of the wrong copy.
std::optional<arithmetic::CorruptionPattern> pattern_of(
    const std::vector<PayloadDifference>& differences, const DirectionFacts& data,
    arithmetic::ChecksumWitness witness);

/// The pattern in a sentence, what it points at, and its figures. Nothing where nothing differs.
std::optional<Evidence> what_changed(const std::vector<PayloadDifference>& differences,
                                     const DirectionFacts& data,
                                     arithmetic::ChecksumWitness witness);

/// The same of what two capture points compared: upstream's bytes are the right ones.
std::optional<Evidence> what_changed(const std::vector<ChangedRange>& ranges,
                                     std::uint32_t segment_size,
                                     arithmetic::ChecksumWitness witness);

}  // namespace slowpath::detect
