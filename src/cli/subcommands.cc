// SPDX-License-Identifier: Apache-2.0
#include "cli/subcommands.h"

#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace slowpath::cli {

Run declare_subcommands(CLI::App& app, std::span<const Command* const> commands) {
  auto chosen = std::make_shared<Run>();
  for (const Command* command : commands) {
    CLI::App* sub = app.add_subcommand(std::string{command->name}, std::string{command->summary});
    sub->footer(fmt::format("Examples:\n{}", command->examples));
    sub->callback([chosen, run = command->declare(*sub)] { *chosen = run; });
  }
  app.require_subcommand(0, 1);
  return [chosen, &app] {
    if (*chosen) return (*chosen)();
    fmt::print(stderr, "{}", app.help("slowpath"));
    return ExitCode::usage;
  };
}

}  // namespace slowpath::cli
