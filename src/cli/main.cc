// SPDX-License-Identifier: Apache-2.0
// The program's entry: it names its version. Subcommands live in files of their own beside it.
#include <fmt/core.h>

#include "base/version.h"

int main() { fmt::print("slowpath {}\n", slowpath::kVersion); }
