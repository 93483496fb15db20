// SPDX-License-Identifier: Apache-2.0
// `slowpath lab`: faults made for real. Dispatches only; each subcommand is a file in lab/.
#include <array>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/subcommands.h"

namespace slowpath::cli {
namespace labs {

extern const Command list;
extern const Command run;
extern const Command record;
extern const Command matrix;
extern const Command shell;

}  // namespace labs

namespace {

constexpr std::array kSubcommands{&labs::list, &labs::run, &labs::record, &labs::matrix,
                                  &labs::shell};

Run declare(const CommandLine& line) { return declare_subcommands(line, kSubcommands); }

}  // namespace

extern const Command lab_command;
const Command lab_command{.name = "lab",
                          .summary = "make a fault for real, on real TCP stacks on this machine",
                          .examples =
                              "  slowpath lab list\n"
                              "  slowpath lab run broken-lso\n"
                              "  slowpath lab run broken-lso --set mtu=9000 --keep captures\n"
                              "  slowpath lab matrix --draw 3\n"
                              "  slowpath lab shell broken-lso\n",
                          .declare = declare};

}  // namespace slowpath::cli
