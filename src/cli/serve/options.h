// SPDX-License-Identifier: Apache-2.0
// What `slowpath serve` can be told, on the command line and in a small TOML file. What stands on
// the command line wins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/command_line.h"
#include "probe/server.h"

namespace slowpath::cli::serving {

/// As typed; absent where nothing was.
struct Options {
  std::string config;
  std::optional<std::string> host, token, token_file, rate, time, user;
  std::optional<std::uint16_t> port;
  std::optional<std::size_t> clients, streams;
  bool open = false, only_ipv4 = false, only_ipv6 = false, quiet = false;
};

void declare(const CommandLine& line, Options& options);

/// Fills what the command line left open from the file that --config names. A key that is unknown
/// or of another type is an error that names it.
Result<void> read_config(Options& options);

struct Plan {
  probe::ServerConfig server;
  std::string user;
  bool token_made_up = false;  // nobody gave one: it must be shown
};
/// The token comes from --token, --token-file, the file, $SLOWPATH_TOKEN, or is made up.
Result<Plan> plan_of(const Options& options);

/// A token from where users put it: given, in a file (first line), or $SLOWPATH_TOKEN. Empty where
/// there is none. Shared with `slowpath test`.
Result<std::string> find_token(const std::optional<std::string>& given,
                               const std::optional<std::string>& file);

}  // namespace slowpath::cli::serving
