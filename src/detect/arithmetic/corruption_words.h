// SPDX-License-Identifier: Apache-2.0
// What a pattern of corruption is called, and what makes such patterns. Internal to
// corruption_pattern.
#pragma once

#include "detect/arithmetic/corruption_pattern.h"

namespace slowpath::arithmetic {

/// Fills in sentence, points_at and source, from all that is settled.
void put_into_words(CorruptionPattern& pattern, ChecksumWitness witness);

}  // namespace slowpath::arithmetic
