// SPDX-License-Identifier: Apache-2.0
// How a calculation takes part in `slowpath calc`: each file defines one or more of these, and
// cli/calc.cc lists them. Options are read by base/format's parsers, so that every quantity may
// have its unit.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "cli/calc/sheet.h"
#include "cli/command_line.h"

namespace slowpath::cli::calc {

/// Computes the answer once the options have been read. Owns what they were bound to.
using Compute = std::function<Result<Sheet>()>;

struct Calculation {
  std::string_view name;
  std::string_view summary;  // one line; no full stop
  std::string_view examples;
  /// Adds the options; called once, before parsing.
  Compute (*declare)(const CommandLine& line) = nullptr;
};

// Options that hold a quantity. A value that is not one, or is not above zero, ends the program
// with the parser's sentence and exit code 2. `value` outlives the parse and keeps its default.
Option add_rate(const CommandLine& line, const char* name, double& value_bps,
                const char* description);
Option add_size(const CommandLine& line, const char* name, double& value_bytes,
                const char* description);
Option add_duration(const CommandLine& line, const char* name, double& value_s,
                    const char* description);
Option add_share(const CommandLine& line, const char* name, double& value, const char* description);

}  // namespace slowpath::cli::calc
