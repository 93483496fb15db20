// SPDX-License-Identifier: Apache-2.0
// How a subcommand takes part: a file foo.cc defines `const Command foo`, and commands.cc lists it.
// Options are declared beside what they do; main only dispatches.
//
//   ExitCode run(const Options& options);
//   Run declare(const CommandLine& line) {
//     auto options = std::make_shared<Options>();
//     line.add_option("--top", options->top, "...").group("Output");
//     return [options] { return run(*options); };
//   }
//   const Command foo{.name = "foo", .summary = "...", .examples = "...", .declare = declare};
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "cli/command_line.h"
#include "cli/exit_code.h"

namespace slowpath::cli {

/// What a subcommand does once its options have been read. Owns what `declare` bound them to.
using Run = std::function<ExitCode()>;

struct Command {
  std::string_view name;     // the word on the command line
  std::string_view summary;  // one line for the list of commands; no full stop
  std::string_view group = "Commands";
  std::string_view examples;  // lines shown below the options; empty if none
  /// Adds the options; called once, before parsing.
  Run (*declare)(const CommandLine& line) = nullptr;
  /// A flag such as "--iperf3" that chooses this command in place of the plain one of its name:
  /// what follows then has other options.
  std::string_view variant = {};
};

/// All subcommands in the order of --help. Static lifetime.
std::span<const Command* const> all_commands();

}  // namespace slowpath::cli
