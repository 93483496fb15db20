// SPDX-License-Identifier: Apache-2.0
// Runs a program inside a network namespace and catches what it prints. No shell.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace slowpath::lab {

struct Command {
  std::vector<std::string> words;  // program and arguments
  std::string input;               // its standard input
  int namespace_fd = -1;           // network namespace to run in; -1: ours
  Duration limit = std::chrono::seconds{30};
};

/// Splits at blanks; '...' and "..." keep blanks, a backslash outside of '...' takes the next
/// character as it is. Errors: usage, for a quote that is not closed, or nothing at all.
Result<std::vector<std::string>> split_command_line(std::string_view line);

/// Where a program is: PATH, and the sbin folders that ordinary users do not have in it.
std::optional<std::string> find_program(const std::string& name);
/// "ethtool (Debian package ethtool)", for messages.
std::string program_with_package(const std::string& name);

/// What it printed on both outputs. It is killed when this process ends. Errors: environment: not
/// found, failed, longer than its limit; with what it printed.
Result<std::string> run_command(const Command& command);

}  // namespace slowpath::lab
