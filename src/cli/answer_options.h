// SPDX-License-Identifier: Apache-2.0
// How an answer is written, and when it counts as a failure: the options that all commands with a
// verdict share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "cli/command_line.h"
#include "cli/exit_code.h"
#include "facts/severity.h"
#include "report/layout.h"

namespace slowpath::cli {

/// As typed; empty or zero where nothing was.
struct AnswerOptions {
  std::string fail_on, color = "auto";
  std::size_t width = 0;
  bool json = false, all = false, quiet = false;
};

/// What differs between the commands. Only read while the options are declared.
struct AnswerWords {
  std::string_view schema;  // as 'slowpath schema' calls it
  std::string_view all;     // what --all adds
  std::string_view fail_on = "Exit with 1 if a fault, or a suspect, is found";
};

/// Declares --json, --color, --width, --all, --quiet and --fail-on. `options` outlives `line`.
void declare_answer_options(const CommandLine& line, AnswerOptions& options,
                            const AnswerWords& words);

/// The page that was asked for, or that fits where standard output goes.
[[nodiscard]] report::Style style_of(const AnswerOptions& options);

/// "auto", "always" or "never"; whether standard output is coloured then.
[[nodiscard]] bool is_coloured(std::string_view word);

/// Whether one of these findings is what --fail-on names ("fault", "suspect" or "").
template <typename Findings>
[[nodiscard]] bool has_failed(const Findings& findings, std::string_view fail_on) {
  if (fail_on.empty()) return false;
  const Severity least = fail_on == "suspect" ? Severity::suspect : Severity::fault;
  return std::ranges::any_of(findings,
                             [least](const auto& finding) { return finding.severity >= least; });
}

/// The code of an answer that has been written with this outcome: a full disk and a signal go
/// before what was found.
[[nodiscard]] ExitCode exit_code_of_answer(ExitCode written, bool failed);

}  // namespace slowpath::cli
