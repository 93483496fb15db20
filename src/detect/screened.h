// SPDX-License-Identifier: Apache-2.0
// What a diagnosis is worth where not every connection was analysed.
#pragma once

#include "facts/case.h"
#include "facts/finding.h"
#include "facts/screening.h"

namespace slowpath::detect {

/// Of a capture that had more connections than memory allows, some were only counted, others ended
/// before their time: says so in the summary. Nobody judged those, so the rest is not called
/// healthy. Not for a capture that was screened.
void weigh_memory(const Case& facts, Diagnosis& diagnosis);

/// Says in the summary what was analysed, and how many connections were not although they show
/// signs that could be a fault. With such ones left, or a flood of failed attempts to connect
/// (unanswered.h), nothing is called healthy. `diagnosis` is about `facts`, the connections that
/// were analysed. Without a first pass as weigh_memory().
void weigh_screening(const Case& facts, const ScreeningFacts& screening, Diagnosis& diagnosis);

}  // namespace slowpath::detect
