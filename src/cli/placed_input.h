// SPDX-License-Identifier: Apache-2.0
// What diagnose and compare share of their command lines.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/pipeline.h"

namespace slowpath::cli {

/// "NAME=FILE".
Result<InputName> parse_placed_input(const std::string& text);

}  // namespace slowpath::cli
