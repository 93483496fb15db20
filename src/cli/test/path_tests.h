// SPDX-License-Identifier: Apache-2.0
// The options of `slowpath test` that ask about the path instead of the rate, and what they run.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "cli/command_line.h"
#include "cli/exit_code.h"
#include "cli/status_line.h"
#include "facts/path_test.h"
#include "probe/socket.h"

namespace slowpath::cli {

/// As typed.
struct PathTestOptions {
  bool no_path = false;
  bool path = false, mtu = false, latency = false, middlebox = false;
  std::string idle, churn;  // how long; how many a second. Empty: not asked for
  std::uint16_t tcp_port = 0;
};

/// What every test has, whichever is asked for.
struct PathTestTarget {
  probe::Target target;
  std::string secret;
  bool json = false, all = false, quiet = false;
  std::string color = "auto";
  std::string fail_on;        // "", "fault" or "suspect"
  std::string save, against;  // files; empty: none
};

void declare_path_tests(const CommandLine& line, PathTestOptions& options);

/// Whether one of them was given.
bool asks_for_path(const PathTestOptions& options);

/// Sizes, delay and headers, beside a measurement of the rate. Errors: those of measure_path().
Result<PathTestFacts> measure_beside(const PathTestTarget& target, StatusLine& status);

/// Measures, judges and writes the answer.
ExitCode run_path_tests(const PathTestOptions& options, const PathTestTarget& target);

}  // namespace slowpath::cli
