// SPDX-License-Identifier: Apache-2.0
// `slowpath version`: which program this is.
#include "base/version.h"

#include <fmt/core.h>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/output.h"

namespace slowpath::cli {
namespace {

Run declare(const CommandLine& /*line*/) {
  return [] { return write_answer(fmt::format("slowpath {}\n", kVersion)); };
}

}  // namespace

extern const Command version;
const Command version{.name = "version",
                      .summary = "print the version",
                      .group = "About",
                      .examples = {},
                      .declare = declare};

}  // namespace slowpath::cli
