// SPDX-License-Identifier: Apache-2.0
// A command that is made of commands: `slowpath fix plan`, `slowpath lab run`.
#pragma once

#include <span>

#include "cli/command.h"
#include "cli/command_line.h"

namespace slowpath::cli {

/// Declares one subcommand of `line` for each, with its examples. What is returned runs the one
/// that was chosen; where none was, it prints the help to standard error and answers `usage`.
/// `line` and the commands outlive it.
[[nodiscard]] Run declare_subcommands(const CommandLine& line,
                                      std::span<const Command* const> commands);

}  // namespace slowpath::cli
