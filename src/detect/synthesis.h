// SPDX-License-Identifier: Apache-2.0
// Turns findings into the diagnosis: folds a general fault into the special one beside it, fills in which rivals were
// ruled out and by which facts, divides seconds where causes overlap, ranks, and gives one verdict.
#pragma once

#include <vector>

#include "detect/detector.h"
#include "facts/case.h"
#include "facts/finding.h"

namespace slowpath::detect {

/// Runs every detector over the case and synthesises. `silences` (may be null) receives why detectors stayed silent.
Diagnosis diagnose(const Case& facts, std::vector<Silence>* silences = nullptr);

/// The synthesis alone, for tests.
Diagnosis synthesise(const Case& facts, std::vector<Finding> findings);

}  // namespace slowpath::detect
