// SPDX-License-Identifier: Apache-2.0
// The program's entry: finds the subcommand and runs it. Everything else is in the subcommands.
#include <algorithm>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "base/nearest.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/exit_code.h"
#include "cli/output.h"

namespace slowpath::cli {
namespace {

constexpr std::string_view kExamples =
    "Examples:\n"
    "  slowpath diagnose slow.pcapng\n"
    "  tcpdump -i eth0 -s 128 -w - tcp | slowpath diagnose -\n"
    "  slowpath diagnose --json slow.pcapng | jq .verdict\n";

void add_command(CLI::App& program, const Command& command, Run& chosen) {
  CLI::App* app = program.add_subcommand(std::string{command.name}, std::string{command.summary});
  app->group(std::string{command.group});
  if (!command.examples.empty()) app->footer(fmt::format("Examples:\n{}", command.examples));
  app->callback([&chosen, run = command.declare(CommandLine{app})] { chosen = run; });
}

/// Whether this is the command of its name that the words mean: the variant whose flag is among
/// them, else the plain one.
bool is_meant(const Command& command, std::span<char*> words) {
  const auto has = [&](std::string_view flag) {
    return std::ranges::any_of(words, [&](const char* word) { return word == flag; });
  };
  if (!command.variant.empty()) return has(command.variant);
  return std::ranges::none_of(all_commands(), [&](const Command* other) {
    return other->name == command.name && !other->variant.empty() && has(other->variant);
  });
}

/// The sentence for a first word that is no command; empty where it is one, or an option.
std::string unknown_command(std::string_view word) {
  std::vector<std::string_view> names;
  for (const Command* command : all_commands()) {
    if (command->variant.empty()) names.push_back(command->name);
  }
  if (std::ranges::find(names, word) != names.end() || word.starts_with('-')) return {};
  std::string next = did_you_mean(word, names);
  // A file's name, most likely.
  if (next.empty())
    next = fmt::format("see 'slowpath --help', or try 'slowpath diagnose {}'", word);
  return fmt::format("there is no command '{}'; {}", word, next);
}

ExitCode refuse(const CLI::App& program, const CLI::ParseError& error, std::span<char*> words) {
  std::string name = "slowpath";
  for (const CLI::App* app : program.get_subcommands()) name += " " + app->get_name();
  for (const Command* command : all_commands()) {
    const bool is_it = !command->variant.empty() && is_meant(*command, words) &&
                       name == fmt::format("slowpath {}", command->name);
    if (is_it) name += fmt::format(" {}", command->variant);
  }
  complain(fmt::format("{}; see '{} --help'", error.what(), name));
  return ExitCode::usage;
}

ExitCode dispatch(int argc, char** argv) {
  CLI::App program{
      "Why was this TCP transfer slow, stalled or corrupted, and what should be changed?",
      "slowpath"};
  program.footer(std::string{kExamples});
  program.set_version_flag("--version", fmt::format("slowpath {}", kVersion), "Print the version");
  program.require_subcommand(1);
  Run chosen;
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  for (const Command* command : all_commands()) {
    if (is_meant(*command, words)) add_command(program, *command, chosen);
  }
  if (argc <= 1) {
    fmt::print(stderr, "{}", program.help());
    return ExitCode::usage;
  }
  if (const std::string sentence = unknown_command(argv[1]); !sentence.empty()) {
    complain(sentence);
    return ExitCode::usage;
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help and --version
    program.exit(wanted);
    return ExitCode::answered;
  } catch (const CLI::ParseError& error) {
    return refuse(program, error, words);
  }
  return chosen();
}

ExitCode run(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const std::bad_alloc&) {
    complain("out of memory; a smaller --memory or a part of the capture (--from, --to) may fit");
    return ExitCode::environment;
  } catch (const std::exception& error) {
    complain(fmt::format("internal error: {}; please report this with the input", error.what()));
    return ExitCode::own_bug;
  }
}

}  // namespace
}  // namespace slowpath::cli

int main(int argc, char** argv) { return static_cast<int>(slowpath::cli::run(argc, argv)); }
