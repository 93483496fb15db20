// SPDX-License-Identifier: Apache-2.0
#include "cli/subcommands.h"

#include <memory>
#include <string>

#include <fmt/format.h>

#include "cli/command_line.h"

namespace slowpath::cli {

Run declare_subcommands(const CommandLine& line, std::span<const Command* const> commands) {
  auto chosen = std::make_shared<Run>();
  for (const Command* command : commands) {
    const CommandLine sub = line.add_subcommand(command->name, command->summary, command->examples);
    sub.on_parsed([chosen, run = command->declare(sub)] { *chosen = run; });
  }
  line.take_one_subcommand();
  return [chosen, line] {
    if (*chosen) return (*chosen)();
    fmt::print(stderr, "{}", line.help("slowpath"));
    return ExitCode::usage;
  };
}

}  // namespace slowpath::cli
