// SPDX-License-Identifier: Apache-2.0
// `slowpath fix`: one change at a time, each with its undo. Dispatches only; each subcommand is a
// file in fix/.
#include <array>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/command.h"

namespace slowpath::cli {
namespace fixes {

extern const Command plan;
extern const Command apply;
extern const Command confirm;
extern const Command undo;
extern const Command prove;
extern const Command list;

}  // namespace fixes

namespace {

constexpr std::array kSubcommands{&fixes::plan, &fixes::apply, &fixes::confirm,
                                  &fixes::undo, &fixes::prove, &fixes::list};

Run declare(CLI::App& app) {
  auto chosen = std::make_shared<Run>();
  for (const Command* command : kSubcommands) {
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

}  // namespace

extern const Command fix_command;
const Command fix_command{
    .name = "fix",
    .summary = "change one thing at a time, prove that it helped, put it back",
    .examples =
        "  slowpath fix plan lso-not-segmented --interface eth0\n"
        "  slowpath fix apply lso-not-segmented/1 --interface eth0\n"
        "  slowpath fix apply 'sysctl -w net.ipv4.tcp_mtu_probing=1'\n"
        "  slowpath fix prove lso-not-segmented/1 --interface eth0 --measure 'iperf3 -J -c HOST'\n"
        "  slowpath fix list\n"
        "  slowpath fix undo --all\n",
    .declare = declare};

}  // namespace slowpath::cli
