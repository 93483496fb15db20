// SPDX-License-Identifier: Apache-2.0
// The exit codes of every subcommand, in one place (DESIGN section 4; slowpath(1), EXIT STATUS).
#pragma once

#include "base/assert.h"
#include "base/result.h"

namespace slowpath::cli {

/// A pipe that closes early ends the program by SIGPIPE, without a message, as other filters do
/// (shells show 141).
enum class ExitCode : int {
  answered = 0,     // looked and answered, whatever the answer is
  found = 1,        // only with --fail-on: something at or above that severity was found
  usage = 2,        // the command line
  input = 3,        // no input could be read
  environment = 4,  // a missing permission or kernel feature, a full disk, no memory
  network = 5,      // the peer or the path
  own_bug = kExitOwnBug,
  interrupted = 130,  // SIGINT, after the answer so far
  terminated = 143,   // SIGTERM, after the answer so far
};

/// The exit code of a failed attempt.
constexpr ExitCode exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return ExitCode::usage;
    case ErrorKind::input:
      return ExitCode::input;
    case ErrorKind::environment:
      return ExitCode::environment;
    case ErrorKind::network:
      return ExitCode::network;
  }
  return ExitCode::own_bug;
}

}  // namespace slowpath::cli
