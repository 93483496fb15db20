// SPDX-License-Identifier: Apache-2.0
// The files of `slowpath test --save` and `--against`. What is in them is left to report/.
#pragma once

#include <string>

#include "base/result.h"

namespace slowpath::cli::testing {

/// Whether `file` can be written, before a test is made for it; nothing where it is empty. A file
/// that is there stays as it is. Errors: environment.
Result<void> check_writable(const std::string& file);
/// Errors: environment.
Result<void> save(const std::string& file, const std::string& document);
/// Errors: input.
Result<std::string> read_whole(const std::string& file);

}  // namespace slowpath::cli::testing
