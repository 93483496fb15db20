// SPDX-License-Identifier: Apache-2.0
// The answer as text for a person: one screen for one cause.
#pragma once

#include <cstddef>
#include <string>

#include "report/answer.h"
#include "report/layout.h"

namespace slowpath::report {

struct TextOptions {
  Style style{};
  bool all = false;                   // every connection, every finding and every remedy in full
  bool explain = false;               // why each detector stayed silent
  bool quiet = false;                 // the verdict's line alone
  std::size_t most_connections = 10;  // one-line entries beside the verdict's own
};

std::string to_text(const Answer& answer, const TextOptions& options);

}  // namespace slowpath::report
