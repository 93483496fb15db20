// SPDX-License-Identifier: Apache-2.0
// What a diagnosis is worth where not every connection was analysed.
#pragma once

#include "facts/case.h"
#include "facts/finding.h"
#include "facts/screening.h"

namespace slowpath::detect {

/// Says in the summary what was analysed, and how many connections were not although they show
/// signs that could be a fault. With such ones left nothing is called healthy. `diagnosis` is about
/// `facts`, the connections that were analysed. Without a first pass nothing changes.
void weigh_screening(const Case& facts, const ScreeningFacts& screening, Diagnosis& diagnosis);

}  // namespace slowpath::detect
