// SPDX-License-Identifier: Apache-2.0
// `slowpath fix`: one change at a time, each with its undo. Dispatches only; each subcommand is a
// file in fix/.
#include <array>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/subcommands.h"

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

Run declare(const CommandLine& line) { return declare_subcommands(line, kSubcommands); }

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
