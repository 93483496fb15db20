// SPDX-License-Identifier: Apache-2.0
// Runs the measuring command of `slowpath fix prove` once.
#pragma once

#include <string>

#include "fix/prove.h"

namespace slowpath::cli {

/// `command` is the user's own, for the shell. Its figure; where smaller is better one divided by
/// it, so that the larger one is the better.
fix::Measured measure(const std::string& command, bool smaller_is_better);

}  // namespace slowpath::cli
