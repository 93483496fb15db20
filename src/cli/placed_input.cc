// SPDX-License-Identifier: Apache-2.0
#include "cli/placed_input.h"

#include <algorithm>

#include <fmt/core.h>

#include "facts/severity.h"

namespace slowpath::cli {

Result<InputName> parse_placed_input(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return fail(ErrorKind::usage, fmt::format("cannot read --at {}", text),
                "it is not of the form NAME=FILE");
  }
  return InputName{text.substr(equals + 1), text.substr(0, equals)};
}

ColorMode color_mode_of(const std::string& word) {
  if (word == "always") return ColorMode::always;
  return word == "never" ? ColorMode::never : ColorMode::automatic;
}

bool has_failed(const Diagnosis& diagnosis, const std::string& fail_on) {
  if (fail_on.empty()) return false;
  const Severity least = fail_on == "suspect" ? Severity::suspect : Severity::fault;
  return std::ranges::any_of(diagnosis.findings,
                             [least](const Finding& finding) { return finding.severity >= least; });
}

}  // namespace slowpath::cli
