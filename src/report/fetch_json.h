// SPDX-License-Identifier: Apache-2.0
// What `slowpath fetch --json` answers: `slowpath.fetch.v1`, schema in docs/.
#pragma once

#include <string>
#include <string_view>

#include "detect/fetch_verdict.h"
#include "facts/fetch.h"

namespace slowpath::report {

/// One document, ended by a newline.
std::string fetch_to_json(const FetchFacts& facts, const detect::FetchVerdict& verdict);

/// The document that says why there is no answer; the program's exit code is not 0.
std::string fetch_error_to_json(std::string_view sentence);

}  // namespace slowpath::report
