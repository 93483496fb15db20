// SPDX-License-Identifier: Apache-2.0
// The answer of `slowpath compare` as JSON, `slowpath.comparison.v1` (schema in docs/).
#pragma once

#include <string>
#include <string_view>

#include "report/answer.h"

namespace slowpath::report {

/// The whole answer as one document, ended by a newline.
std::string comparison_to_json(const Answer& answer);

/// The document that says why there is no answer.
std::string comparison_error_to_json(std::string_view sentence);

}  // namespace slowpath::report
