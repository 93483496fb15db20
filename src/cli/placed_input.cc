// SPDX-License-Identifier: Apache-2.0
#include "cli/placed_input.h"

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

}  // namespace slowpath::cli
