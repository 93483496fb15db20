// SPDX-License-Identifier: Apache-2.0
// A finding as all JSON documents have it. For files that write such documents only: it brings the
// JSON library.
#pragma once

#include "base/json.h"
#include "facts/case.h"
#include "facts/finding.h"

namespace slowpath::report {

/// "finding" of slowpath.diagnosis.v1. `facts` may be empty where no packets were looked at.
nlohmann::ordered_json finding_to_json(const Finding& finding, const Case& facts);

/// "after_fix" of it.
nlohmann::ordered_json after_fix_to_json(const AfterFix& after);

}  // namespace slowpath::report
