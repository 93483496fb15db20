// SPDX-License-Identifier: Apache-2.0
// The list of subcommands: one line for each file that holds one.
#include <array>

#include "cli/command.h"

namespace slowpath::cli {

extern const Command diagnose;
extern const Command compare;
extern const Command fetch_command;
extern const Command inspect;
extern const Command iperf3_client;
extern const Command iperf3_server;
extern const Command explain;
extern const Command calc_command;
extern const Command fix_command;
extern const Command lab_command;
extern const Command serve_command;
extern const Command test_command;
extern const Command schema;
extern const Command version;

std::span<const Command* const> all_commands() {
  static constexpr std::array kCommands{
      &diagnose,      &compare,      &inspect,       &fetch_command, &serve_command,
      &iperf3_server, &test_command, &iperf3_client, &explain,       &calc_command,
      &fix_command,   &lab_command,  &schema,        &version,
  };
  return kCommands;
}

}  // namespace slowpath::cli
