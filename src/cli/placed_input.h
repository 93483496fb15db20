// SPDX-License-Identifier: Apache-2.0
// What diagnose and compare share of their command lines.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/output.h"
#include "cli/pipeline.h"
#include "facts/finding.h"

namespace slowpath::cli {

/// "NAME=FILE".
Result<InputName> parse_placed_input(const std::string& text);

/// "auto", "always", "never".
ColorMode color_mode_of(const std::string& word);

/// Whether --fail-on ("", "fault", "suspect") is met.
bool has_failed(const Diagnosis& diagnosis, const std::string& fail_on);

}  // namespace slowpath::cli
